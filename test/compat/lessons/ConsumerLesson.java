import java.time.Duration;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndTimestamp;
import org.apache.kafka.common.TopicPartition;

/** The ways to read: as a group, from the beginning, from an offset, from an hour ago, with both kinds of commit. */
public class ConsumerLesson {
  private static final Duration POLL = Duration.ofMillis(500);
  private static final String TOPIC = "orders";
  private static final int ORDERS = 100;

  public static void main(String[] arguments) throws Exception {
    asGroup();
    byHand();
    committing();
    System.out.println("done");
  }

  private static KafkaConsumer<String, String> consumer(String group, boolean commitsItself) {
    Properties settings = new Properties();
    settings.put("bootstrap.servers", "localhost:9092,localhost:9093,localhost:9094");
    settings.put("group.id", group);
    settings.put("enable.auto.commit", String.valueOf(commitsItself));
    settings.put("auto.commit.interval.ms", "1000");
    settings.put("auto.offset.reset", "earliest");
    settings.put("heartbeat.interval.ms", "1000");
    settings.put("session.timeout.ms", "10000");
    settings.put("max.poll.records", "30");
    settings.put("max.poll.interval.ms", "60000");
    settings.put("key.deserializer", "org.apache.kafka.common.serialization.StringDeserializer");
    settings.put("value.deserializer", "org.apache.kafka.common.serialization.StringDeserializer");
    return new KafkaConsumer<>(settings);
  }

  private static void asGroup() {
    int got = 0;
    int largest = 0;
    try (KafkaConsumer<String, String> consumer = consumer("java-lesson", true)) {
      consumer.subscribe(Arrays.asList(TOPIC));
      while (got < ORDERS) {
        ConsumerRecords<String, String> records = consumer.poll(POLL);
        got += records.count();
        largest = Math.max(largest, records.count());
      }
    }
    System.out.println("group " + got + " " + (largest <= 30));
  }

  private static void byHand() {
    TopicPartition first = new TopicPartition(TOPIC, 0);
    try (KafkaConsumer<String, String> consumer = consumer("by-hand-lesson", false)) {
      consumer.assign(List.of(first));
      consumer.seekToBeginning(List.of(first));
      System.out.println("beginning " + next(consumer).offset());
      consumer.seek(first, 5);
      System.out.println("offset " + next(consumer).offset());
      Map<TopicPartition, Long> wanted = new HashMap<>();
      wanted.put(first, System.currentTimeMillis() - 3_600_000);
      OffsetAndTimestamp found = consumer.offsetsForTimes(wanted).get(first);
      consumer.seek(first, found.offset());
      System.out.println("hour " + next(consumer).offset());
    }
  }

  private static ConsumerRecord<String, String> next(KafkaConsumer<String, String> consumer) {
    for (;;) {
      for (ConsumerRecord<String, String> record : consumer.poll(POLL)) return record;
    }
  }

  private static void committing() throws Exception {
    TopicPartition first = new TopicPartition(TOPIC, 0);
    try (KafkaConsumer<String, String> consumer = consumer("commit-lesson", false)) {
      consumer.assign(List.of(first));
      next(consumer);
      consumer.commitSync();
      System.out.println("sync " + (consumer.committed(java.util.Set.of(first)).get(first).offset() == consumer.position(first)));
      CountDownLatch answered = new CountDownLatch(1);
      consumer.commitAsync((offsets, error) -> {
        System.out.println("async " + (error == null));
        answered.countDown();
      });
      while (!answered.await(10, TimeUnit.MILLISECONDS)) consumer.poll(Duration.ofMillis(50));
    }
  }
}
