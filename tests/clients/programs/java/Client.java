import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Collectors;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.WakeupException;

/** Apache Kafka's own clients with default settings, as a program; the arguments are told in client-program.ts. */
public class Client {
  public static void main(String[] args) throws Exception {
    Properties settings = new Properties();
    settings.put("bootstrap.servers", args[1]);
    String topic = args[2];
    switch (args[0]) {
      case "create" -> create(settings, topic);
      case "produce" -> produce(settings, topic, args[3]);
      case "consume" -> consume(settings, topic, args[3], args.length > 4 ? args[4] : null);
      default -> throw new IllegalArgumentException(args[0]);
    }
  }

  static void create(Properties settings, String topic) throws Exception {
    try (Admin admin = Admin.create(settings)) {
      admin.createTopics(List.of(new NewTopic(topic, 3, (short) 3))).all().get();
    }
  }

  static void produce(Properties settings, String topic, String codec) throws Exception {
    settings.put("compression.type", codec);
    settings.put("key.serializer", "org.apache.kafka.common.serialization.StringSerializer");
    settings.put("value.serializer", "org.apache.kafka.common.serialization.StringSerializer");
    AtomicReference<Exception> failure = new AtomicReference<>();
    try (KafkaProducer<String, String> producer = new KafkaProducer<>(settings)) {
      BufferedReader input = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
      for (String line = input.readLine(); line != null; line = input.readLine()) {
        String[] record = line.split("\t", 2);
        producer.send(new ProducerRecord<>(topic, record[0], record[1]), (sent, error) -> {
          if (error != null) failure.set(error);
        });
      }
    }
    if (failure.get() != null) throw failure.get();
  }

  static void consume(Properties settings, String topic, String from, String argument) throws Exception {
    settings.put("key.deserializer", "org.apache.kafka.common.serialization.StringDeserializer");
    settings.put("value.deserializer", "org.apache.kafka.common.serialization.StringDeserializer");
    settings.put("auto.offset.reset", "earliest");
    if (from.equals("group")) settings.put("group.id", argument);
    CountDownLatch closed = new CountDownLatch(1);
    KafkaConsumer<String, String> consumer = new KafkaConsumer<>(settings);
    Runtime.getRuntime().addShutdownHook(new Thread(() -> {
      consumer.wakeup();
      try {
        closed.await();
      } catch (InterruptedException error) {
        Thread.currentThread().interrupt();
      }
    }));
    try {
      if (from.equals("group")) consumer.subscribe(List.of(topic));
      else assign(consumer, topic, from.equals("timestamp") ? Long.parseLong(argument) : 0);
      while (true) {
        for (ConsumerRecord<String, String> record : consumer.poll(Duration.ofMillis(500))) {
          System.out.println(record.key() + "\t" + record.value());
        }
      }
    } catch (WakeupException stopped) {
      consumer.close();
    } finally {
      closed.countDown();
    }
  }

  static void assign(KafkaConsumer<String, String> consumer, String topic, long timestamp) {
    List<TopicPartition> partitions = consumer.partitionsFor(topic).stream()
        .map(partition -> new TopicPartition(topic, partition.partition())).toList();
    consumer.assign(partitions);
    Map<TopicPartition, Long> asked = partitions.stream().collect(Collectors.toMap(one -> one, one -> timestamp));
    consumer.offsetsForTimes(asked).forEach((partition, found) -> {
      if (found == null) consumer.seekToEnd(List.of(partition));
      else consumer.seek(partition, found.offset());
    });
  }
}
