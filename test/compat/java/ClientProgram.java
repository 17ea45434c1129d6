import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.TreeMap;
import java.util.concurrent.Future;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.NewPartitions;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.RecordsToDelete;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

/** The Java clients, told what to do by the suite: a JSON command a line comes in, its answer a line goes out. */
public class ClientProgram {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final Duration POLL = Duration.ofMillis(200);
  private static final long LIMIT_MS = 30_000;
  private static final List<String> CODECS = List.of("none", "gzip", "snappy", "lz4", "zstd");

  private interface Command {
    Object run(JsonNode options) throws Exception;
  }

  private final String bootstrap;
  private final String clientId;
  private final Admin admin;
  private final Map<String, Command> commands = new TreeMap<>();
  private final Map<String, Member> members = new HashMap<>();
  private final Map<String, Flow> flows = new HashMap<>();

  public static void main(String[] arguments) throws Exception {
    new ClientProgram(arguments[0], arguments[1]).serve();
    System.exit(0);
  }

  private ClientProgram(String bootstrap, String clientId) {
    this.bootstrap = bootstrap;
    this.clientId = clientId;
    this.admin = Admin.create(settings());
    addTopicCommands();
    addRecordCommands();
    addGroupCommands();
    commands.put("transact", o -> {
      try (var producer = newProducer("transactional.id", o.get("transactionalId").asText())) {
        producer.initTransactions();
        return null;
      } catch (KafkaException error) {
        return error.getMessage();
      }
    });
    commands.put("flow", o -> {
      Flow flow = new Flow(o.get("topic").asText());
      flows.put(flow.topic, flow);
      flow.start();
      return null;
    });
    commands.put("flowState", o -> flows.get(o.get("topic").asText()).state());
    commands.put("endFlow", o -> flows.get(o.get("topic").asText()).end());
  }

  private void serve() throws Exception {
    say(Map.of("version", version(), "codecs", CODECS, "can", commands.keySet()));
    BufferedReader lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    for (String line = lines.readLine(); line != null; line = lines.readLine()) {
      JsonNode command = JSON.readTree(line);
      try {
        say(Collections.singletonMap("result", commands.get(command.get("do").asText()).run(command)));
      } catch (Exception error) {
        StringWriter trace = new StringWriter();
        error.printStackTrace(new PrintWriter(trace));
        say(Map.of("error", trace.toString()));
      }
    }
  }

  private static String version() throws Exception {
    Properties told = new Properties();
    try (InputStream file = Admin.class.getResourceAsStream("/kafka/kafka-version.properties")) {
      told.load(file);
    }
    return told.getProperty("version");
  }

  private static void say(Object answer) throws Exception {
    System.out.println(JSON.writeValueAsString(answer));
  }

  private static String text(JsonNode node) {
    return node.isNull() ? null : node.asText();
  }

  private Properties settings(String... more) {
    Properties settings = new Properties();
    settings.put("bootstrap.servers", bootstrap);
    settings.put("client.id", clientId);
    for (int i = 0; i < more.length; i += 2) settings.put(more[i], more[i + 1]);
    return settings;
  }

  private KafkaProducer<String, String> newProducer(String... more) {
    return new KafkaProducer<>(settings(more), new StringSerializer(), new StringSerializer());
  }

  private KafkaConsumer<String, String> newConsumer(String... more) {
    Properties settings = settings(more);
    settings.put("enable.auto.commit", "false");
    settings.put("auto.offset.reset", "earliest");
    return new KafkaConsumer<>(settings, new StringDeserializer(), new StringDeserializer());
  }

  private void addTopicCommands() {
    commands.put("create", o -> admin
        .createTopics(List.of(new NewTopic(
            o.get("topic").asText(), o.get("partitions").asInt(), (short) o.get("replicas").asInt())))
        .all().get());
    commands.put("topics", o -> admin.listTopics().names().get());
    commands.put("describe", o -> {
      List<Object> told = new ArrayList<>();
      String topic = o.get("topic").asText();
      admin.describeTopics(List.of(topic)).allTopicNames().get().get(topic).partitions().forEach(one -> told.add(
          Map.of("partition", one.partition(), "leader", one.leader().id(), "replicas", one.replicas().size())));
      return told;
    });
    commands.put("increase", o -> admin
        .createPartitions(Map.of(o.get("topic").asText(), NewPartitions.increaseTo(o.get("partitions").asInt())))
        .all().get());
    commands.put("alterConfig", o -> {
      ConfigEntry entry = new ConfigEntry(o.get("name").asText(), o.get("value").asText());
      Collection<AlterConfigOp> changes = List.of(new AlterConfigOp(entry, AlterConfigOp.OpType.SET));
      return admin.incrementalAlterConfigs(Map.of(configOf(o), changes)).all().get();
    });
    commands.put("config", o -> admin.describeConfigs(List.of(configOf(o))).all().get()
        .get(configOf(o)).get(o.get("name").asText()).value());
    commands.put("delete", o -> admin.deleteTopics(List.of(o.get("topic").asText())).all().get());
    commands.put("deleteRecords", o -> {
      RecordsToDelete before = RecordsToDelete.beforeOffset(o.get("offset").asLong());
      return admin.deleteRecords(Map.of(partitionOf(o), before)).all().get();
    });
  }

  private static ConfigResource configOf(JsonNode options) {
    return new ConfigResource(ConfigResource.Type.TOPIC, options.get("topic").asText());
  }

  private static TopicPartition partitionOf(JsonNode options) {
    return new TopicPartition(options.get("topic").asText(), options.get("partition").asInt());
  }

  private void addRecordCommands() {
    commands.put("produce", this::produce);
    commands.put("read", this::read);
    commands.put("offsetFor", o -> {
      try (KafkaConsumer<String, String> consumer = newConsumer()) {
        var found = consumer.offsetsForTimes(Map.of(partitionOf(o), o.get("timestamp").asLong()));
        var offset = found.get(partitionOf(o));
        return offset == null ? null : offset.offset();
      }
    });
  }

  private Object produce(JsonNode options) throws Exception {
    List<Future<RecordMetadata>> sent = new ArrayList<>();
    TopicPartition place = partitionOf(options);
    try (var producer = newProducer("acks", "all", "linger.ms", "20", "compression.type", options.get("codec").asText())) {
      for (JsonNode one : options.get("records")) {
        var record = new ProducerRecord<>(place.topic(), place.partition(), one.get("timestamp").asLong(),
            text(one.get("key")), text(one.get("value")));
        for (JsonNode header : one.get("headers")) {
          record.headers().add(header.get(0).asText(), header.get(1).asText().getBytes(StandardCharsets.UTF_8));
        }
        sent.add(producer.send(record));
      }
    }
    List<Long> offsets = new ArrayList<>();
    for (Future<RecordMetadata> one : sent) offsets.add(one.get().offset());
    return offsets;
  }

  private Object read(JsonNode options) {
    List<Object> records = new ArrayList<>();
    int count = options.get("count").asInt();
    try (KafkaConsumer<String, String> consumer = newConsumer()) {
      consumer.assign(List.of(partitionOf(options)));
      consumer.seek(partitionOf(options), options.get("offset").asLong());
      long until = System.currentTimeMillis() + LIMIT_MS;
      while (records.size() < count && System.currentTimeMillis() < until) {
        for (ConsumerRecord<String, String> record : consumer.poll(POLL)) {
          if (records.size() < count) records.add(told(record));
        }
      }
    }
    return records;
  }

  private static Map<String, Object> told(ConsumerRecord<String, String> record) {
    List<List<String>> headers = new ArrayList<>();
    for (Header header : record.headers()) {
      headers.add(List.of(header.key(), new String(header.value(), StandardCharsets.UTF_8)));
    }
    Map<String, Object> told = new LinkedHashMap<>();
    told.put("offset", record.offset());
    told.put("key", record.key());
    told.put("value", record.value());
    told.put("headers", headers);
    told.put("timestamp", record.timestamp());
    return told;
  }

  private void addGroupCommands() {
    commands.put("join", o -> {
      boolean isNew = o.has("protocol") && o.get("protocol").asText().equals("consumer");
      Member member = new Member(o.get("group").asText(), o.get("topic").asText(), isNew);
      members.put(o.get("member").asText(), member);
      member.start();
      return null;
    });
    commands.put("member", o -> members.get(o.get("member").asText()).state());
    commands.put("leave", o -> members.get(o.get("member").asText()).leave());
    commands.put("committed", o -> {
      Map<String, Long> told = new TreeMap<>();
      admin.listConsumerGroupOffsets(o.get("group").asText()).partitionsToOffsetAndMetadata().get()
          .forEach((place, offset) -> told.put(String.valueOf(place.partition()), offset.offset()));
      return told;
    });
    commands.put("groups", o -> {
      List<String> names = new ArrayList<>();
      admin.listConsumerGroups().all().get().forEach(one -> names.add(one.groupId()));
      return names;
    });
    commands.put("deleteGroup", o -> admin.deleteConsumerGroups(List.of(o.get("group").asText())).all().get());
  }

  private final class Member extends Thread {
    private final KafkaConsumer<String, String> consumer;
    private final List<Object> records = new ArrayList<>();
    private List<Integer> assignment = List.of();
    private volatile boolean isLeaving;
    private volatile Exception failure;

    Member(String group, String topic, boolean isNew) {
      consumer = isNew
          ? newConsumer("group.id", group, "group.protocol", "consumer")
          : newConsumer("group.id", group, "session.timeout.ms", "6000", "heartbeat.interval.ms", "300");
      consumer.subscribe(List.of(topic));
    }

    @Override
    public void run() {
      try (consumer) {
        while (!isLeaving) {
          var polled = consumer.poll(POLL);
          synchronized (this) {
            for (var record : polled) records.add(List.of(record.partition(), record.offset(), record.value()));
            assignment = consumer.assignment().stream().map(TopicPartition::partition).sorted().toList();
          }
        }
        consumer.commitSync();
      } catch (Exception error) {
        failure = error;
      }
    }

    synchronized Object state() throws Exception {
      if (failure != null) throw failure;
      return Map.of("assignment", assignment, "records", List.copyOf(records));
    }

    Object leave() throws Exception {
      isLeaving = true;
      join(LIMIT_MS);
      return state();
    }
  }

  private final class Flow extends Thread {
    final String topic;
    private final List<String> acknowledged = Collections.synchronizedList(new ArrayList<>());
    private final List<String> failures = Collections.synchronizedList(new ArrayList<>());
    private volatile boolean isEnding;

    Flow(String topic) {
      this.topic = topic;
    }

    @Override
    public void run() {
      try (var producer = newProducer("acks", "all")) {
        for (int number = 0; !isEnding; number++) {
          String value = String.valueOf(number);
          producer.send(new ProducerRecord<>(topic, value, value), (told, error) -> {
            if (error == null) acknowledged.add(value);
            else failures.add(error.toString());
          });
          Thread.sleep(5);
        }
      } catch (InterruptedException stopped) {
        failures.add(stopped.toString());
      }
    }

    Object state() {
      return Map.of("acknowledged", acknowledged.size(), "failures", firstFailures());
    }

    Object end() throws Exception {
      isEnding = true;
      join(2 * LIMIT_MS);
      if (isAlive()) throw new IllegalStateException("the flow does not end");
      return Map.of("acknowledged", List.copyOf(acknowledged), "failures", firstFailures());
    }

    private List<String> firstFailures() {
      return List.copyOf(failures).subList(0, Math.min(5, failures.size()));
    }
  }
}
