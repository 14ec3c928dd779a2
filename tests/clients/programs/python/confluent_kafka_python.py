"""confluent-kafka as a program; the arguments are told in client-program.ts."""

import signal
import sys

from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

command, bootstrap, topic, *rest = sys.argv[1:]


def create():
    admin = AdminClient({"bootstrap.servers": bootstrap})
    for created in admin.create_topics([NewTopic(topic, 3, 3)]).values():
        created.result()


def produce(codec):
    failures = []
    producer = Producer({"bootstrap.servers": bootstrap, "compression.type": codec, "enable.idempotence": True})
    for line in sys.stdin:
        key, value = line.rstrip("\n").split("\t", 1)
        producer.produce(topic, value, key, on_delivery=lambda error, _: error and failures.append(error))
        producer.poll(0)
    producer.flush()
    if failures:
        sys.exit(str(failures[0]))


def consume(start, argument=None):
    group = argument if start == "group" else "unused"
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": group, "auto.offset.reset": "earliest"})
    stopped = []
    signal.signal(signal.SIGTERM, lambda *_: stopped.append(True))
    if start == "group":
        consumer.subscribe([topic])
    else:
        partitions = consumer.list_topics(topic).topics[topic].partitions
        asked = [TopicPartition(topic, one, int(argument or 0)) for one in partitions]
        consumer.assign(consumer.offsets_for_times(asked))
    while not stopped:
        record = consumer.poll(0.2)
        if record is None:
            continue
        if record.error() is not None:
            print(record.error(), file=sys.stderr)
            continue
        print(f"{record.key().decode()}\t{record.value().decode()}", flush=True)
    consumer.close()


{"create": create, "produce": produce, "consume": consume}[command](*rest)
