import java.util.Properties;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;

/** Sends orders by their customer's key: one after the other, then without waiting. */
public class ProducerLesson {
  private static final int SYNCHRONOUS = 20;
  private static final int ASYNCHRONOUS = 80;

  public static void main(String[] arguments) throws Exception {
    Properties settings = new Properties();
    settings.put("bootstrap.servers", "localhost:9092,localhost:9093,localhost:9094");
    settings.put("acks", "all");
    settings.put("retries", 3);
    settings.put("buffer.memory", 33554432);
    settings.put("batch.size", 16384);
    settings.put("linger.ms", 1);
    settings.put("key.serializer", "org.apache.kafka.common.serialization.StringSerializer");
    settings.put("value.serializer", "org.apache.kafka.common.serialization.StringSerializer");
    AtomicReference<Exception> failure = new AtomicReference<>();
    try (KafkaProducer<String, String> producer = new KafkaProducer<>(settings)) {
      for (int order = 0; order < SYNCHRONOUS; order++) {
        RecordMetadata told = producer.send(orderOf(order)).get();
        System.out.println("sync " + order + " " + told.partition() + " " + told.offset());
      }
      CountDownLatch latch = new CountDownLatch(ASYNCHRONOUS);
      for (int i = 0; i < ASYNCHRONOUS; i++) {
        int order = SYNCHRONOUS + i;
        producer.send(orderOf(order), (told, error) -> {
          if (error != null) failure.set(error);
          else System.out.println("async " + order + " " + told.partition() + " " + told.offset());
          latch.countDown();
        });
      }
      if (!latch.await(30, TimeUnit.SECONDS)) throw new IllegalStateException("not everything was answered");
    }
    if (failure.get() != null) throw failure.get();
    System.out.println("done");
  }

  private static ProducerRecord<String, String> orderOf(int order) {
    return new ProducerRecord<>("orders", "customer-" + order % 10, "order-" + order);
  }
}
