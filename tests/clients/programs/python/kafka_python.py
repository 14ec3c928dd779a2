"""kafka-python as a program; the arguments are told in client-program.ts."""

import signal
import sys

from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import KafkaAdminClient, NewTopic

command, bootstrap, topic, *rest = sys.argv[1:]


def create():
    admin = KafkaAdminClient(bootstrap_servers=bootstrap)
    admin.create_topics([NewTopic(topic, 3, 3)])
    admin.close()


def produce(codec):
    compression = None if codec == "none" else codec
    producer = KafkaProducer(bootstrap_servers=bootstrap, compression_type=compression, acks="all")
    sent = []
    for line in sys.stdin:
        key, value = line.rstrip("\n").split("\t", 1)
        sent.append(producer.send(topic, key=key.encode(), value=value.encode()))
    producer.flush()
    for one in sent:
        one.get(timeout=30)
    producer.close()


def consume(start, argument=None):
    group = argument if start == "group" else None
    consumer = KafkaConsumer(bootstrap_servers=bootstrap, group_id=group, auto_offset_reset="earliest")
    stopped = []
    signal.signal(signal.SIGTERM, lambda *_: stopped.append(True))
    if start == "group":
        consumer.subscribe([topic])
    else:
        assign(consumer, int(argument or 0))
    while not stopped:
        for records in consumer.poll(timeout_ms=200).values():
            for record in records:
                print(f"{record.key.decode()}\t{record.value.decode()}", flush=True)
    consumer.close()


def assign(consumer, timestamp):
    partitions = [TopicPartition(topic, one) for one in consumer.partitions_for_topic(topic)]
    consumer.assign(partitions)
    for partition, found in consumer.offsets_for_times({one: timestamp for one in partitions}).items():
        if found is None:
            consumer.seek_to_end(partition)
        else:
            consumer.seek(partition, found.offset)


{"create": create, "produce": produce, "consume": consume}[command](*rest)
