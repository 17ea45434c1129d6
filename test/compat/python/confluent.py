"""confluent-kafka-python, and with it librdkafka, told what to do by the suite."""
import sys
import time

import confluent_kafka
from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, ConfigResource, NewPartitions, NewTopic
from protocol import Flow, Member, serve, to_bytes, to_text

place = {"bootstrap.servers": sys.argv[1], "client.id": sys.argv[2], "log.connection.close": False}
admin = AdminClient(place)
LIMIT_S = 30


def all_done(futures):
    for future in futures.values():
        future.result(LIMIT_S)


def create(topic, partitions, replicas):
    all_done(admin.create_topics([NewTopic(topic, partitions, replicas)]))


def topics():
    return sorted(admin.list_topics(timeout=LIMIT_S).topics)


def describe(topic):
    told = admin.list_topics(topic, timeout=LIMIT_S).topics[topic]
    return [
        {"partition": one.id, "leader": one.leader, "replicas": len(one.replicas)}
        for one in told.partitions.values()
    ]


def produce(topic, partition, codec, records):
    producer = Producer({**place, "acks": "all", "compression.codec": codec, "linger.ms": 20})
    offsets = {}

    def done(error, message, index):
        if error:
            raise KafkaException(error)
        offsets[index] = message.offset()

    for index, one in enumerate(records):
        producer.produce(
            topic,
            partition=partition,
            key=to_bytes(one["key"]),
            value=to_bytes(one["value"]),
            headers=[(name, to_bytes(value)) for name, value in one["headers"]],
            timestamp=one["timestamp"],
            on_delivery=lambda error, message, index=index: done(error, message, index),
        )
    if producer.flush(LIMIT_S):
        raise RuntimeError("not everything was acknowledged")
    return [offsets[index] for index in range(len(records))]


def new_consumer(group, **options):
    return Consumer({**place, "group.id": group, "enable.auto.commit": False, **options})


def read(topic, partition, offset, count):
    consumer = new_consumer("readers")
    consumer.assign([TopicPartition(topic, partition, offset)])
    records = []
    until = time.monotonic() + LIMIT_S
    while len(records) < count and time.monotonic() < until:
        message = consumer.poll(0.5)
        if message is None:
            continue
        if message.error():
            raise KafkaException(message.error())
        records.append(
            {
                "offset": message.offset(),
                "key": to_text(message.key()),
                "value": to_text(message.value()),
                "headers": [[name, to_text(value)] for name, value in message.headers() or []],
                "timestamp": message.timestamp()[1],
            }
        )
    consumer.close()
    return records


def offset_for(topic, partition, timestamp):
    consumer = new_consumer("readers")
    [found] = consumer.offsets_for_times([TopicPartition(topic, partition, timestamp)], LIMIT_S)
    consumer.close()
    return None if found.offset < 0 else found.offset


class ConfluentMember(Member):
    def __init__(self, group, topic, protocol="classic"):
        super().__init__()
        timing = {"session.timeout.ms": 6000, "heartbeat.interval.ms": 300}
        own = {"group.protocol": "consumer"} if protocol == "consumer" else timing
        self.consumer = new_consumer(group, **{"auto.offset.reset": "earliest"}, **own)
        self.consumer.subscribe([topic])

    def poll(self):
        for message in self.consumer.consume(100, 0.2):
            if not message.error():
                yield message.partition(), message.offset(), message.value()

    def commit(self):
        self.consumer.commit(asynchronous=False)


def committed(group, topic):
    count = len(describe(topic))
    consumer = new_consumer(group)
    asked = [TopicPartition(topic, partition) for partition in range(count)]
    told = consumer.committed(asked, LIMIT_S)
    consumer.close()
    return {str(one.partition): one.offset for one in told if one.offset >= 0}


def groups():
    return sorted(one.id for one in admin.list_groups(timeout=LIMIT_S))


class ConfluentFlow(Flow):
    def __init__(self, topic):
        super().__init__(topic)
        self.producer = Producer({**place, "acks": "all", "enable.idempotence": True})

    def send(self, value):
        self.producer.produce(self.topic, key=value, value=value, on_delivery=self.done)
        self.producer.poll(0.005)

    def done(self, error, message):
        if error:
            self.failures.append(str(error))
        else:
            self.acknowledged.append(to_text(message.value()))

    def finish(self):
        self.producer.flush(40)


def increase(topic, partitions):
    all_done(admin.create_partitions([NewPartitions(topic, partitions)]))


def alter_config(topic, name, value):
    resource = ConfigResource(ConfigResource.Type.TOPIC, topic, set_config={name: value})
    all_done(admin.alter_configs([resource]))


def config(topic, name):
    resource = ConfigResource(ConfigResource.Type.TOPIC, topic)
    [future] = admin.describe_configs([resource]).values()
    return future.result(LIMIT_S)[name].value


def delete(topic):
    all_done(admin.delete_topics([topic]))


def delete_group(group):
    all_done(admin.delete_consumer_groups([group]))


def transact(transactionalId):
    producer = Producer({**place, "transactional.id": transactionalId})
    try:
        producer.init_transactions(LIMIT_S)
    except KafkaException as error:
        return error.args[0].str()


serve(
    f"{confluent_kafka.__version__} (librdkafka {confluent_kafka.libversion()[0]})",
    ["none", "gzip", "snappy", "lz4", "zstd"],
    {
        "create": create,
        "topics": topics,
        "describe": describe,
        "produce": produce,
        "read": read,
        "offsetFor": offset_for,
        "join": ConfluentMember,
        "committed": committed,
        "groups": groups,
        "flow": ConfluentFlow,
        "increase": increase,
        "alterConfig": alter_config,
        "config": config,
        "delete": delete,
        "deleteGroup": delete_group,
        "transact": transact,
    },
)
