"""kafka-python, old and new, told what to do by the suite."""
import logging
import sys
import time

import kafka
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import ConfigResource, ConfigResourceType, NewPartitions, NewTopic
from protocol import Flow, Member, serve, to_bytes, to_text

logging.basicConfig(level=logging.WARNING, stream=sys.stderr)
bootstrap = sys.argv[1].split(",")
client_id = sys.argv[2]
place = {"bootstrap_servers": bootstrap, "client_id": client_id}
admin = KafkaAdminClient(**place)
is_old = kafka.__version__.startswith("2.")


def create(topic, partitions, replicas):
    admin.create_topics([NewTopic(topic, partitions, replicas)])


def topics():
    return sorted(admin.list_topics())


def describe(topic):
    partitions = admin.describe_topics([topic])[0]["partitions"]

    def pick(partition, *names):
        return next(partition[name] for name in names if name in partition)

    return [
        {
            "partition": pick(one, "partition", "partition_index"),
            "leader": pick(one, "leader", "leader_id"),
            "replicas": len(pick(one, "replicas", "replica_nodes")),
        }
        for one in partitions
    ]


def produce(topic, partition, codec, records):
    codec = None if codec == "none" else codec
    producer = KafkaProducer(**place, acks="all", compression_type=codec, linger_ms=20)
    sent = [
        producer.send(
            topic,
            partition=partition,
            key=to_bytes(one["key"]),
            value=to_bytes(one["value"]),
            headers=[(name, to_bytes(value)) for name, value in one["headers"]],
            timestamp_ms=one["timestamp"],
        )
        for one in records
    ]
    producer.flush(30)
    offsets = [future.get(30).offset for future in sent]
    producer.close()
    return offsets


def read(topic, partition, offset, count):
    place_read = TopicPartition(topic, partition)
    consumer = KafkaConsumer(**place, enable_auto_commit=False, consumer_timeout_ms=15000)
    consumer.assign([place_read])
    consumer.seek(place_read, offset)
    records = []
    for record in consumer:
        records.append(
            {
                "offset": record.offset,
                "key": to_text(record.key),
                "value": to_text(record.value),
                "headers": [[name, to_text(value)] for name, value in record.headers],
                "timestamp": record.timestamp,
            }
        )
        if len(records) == count:
            break
    consumer.close()
    return records


def offset_for(topic, partition, timestamp):
    consumer = KafkaConsumer(**place)
    place_asked = TopicPartition(topic, partition)
    found = consumer.offsets_for_times({place_asked: timestamp})[place_asked]
    consumer.close()
    return None if found is None else found.offset


class KafkaMember(Member):
    def __init__(self, group, topic):
        super().__init__()
        self.consumer = KafkaConsumer(
            topic,
            **place,
            group_id=group,
            auto_offset_reset="earliest",
            enable_auto_commit=False,
            session_timeout_ms=6000,
            heartbeat_interval_ms=300,
        )

    def poll(self):
        for records in self.consumer.poll(200).values():
            for record in records:
                yield record.partition, record.offset, record.value

    def commit(self):
        self.consumer.commit()


def committed(group, topic):
    if is_old:
        offsets = admin.list_consumer_group_offsets(group)
    else:
        offsets = admin.list_group_offsets(group)[group]
    return {str(one.partition): told.offset for one, told in offsets.items() if one.topic == topic}


def groups():
    if is_old:
        return sorted(name for name, _protocol_type in admin.list_consumer_groups())
    return sorted(one["group_id"] for one in admin.list_groups())


class KafkaFlow(Flow):
    def __init__(self, topic):
        super().__init__(topic)
        self.producer = KafkaProducer(**place, acks="all", retries=1000, retry_backoff_ms=50)

    def send(self, value):
        try:
            sent = self.producer.send(self.topic, key=value.encode(), value=value.encode())
            sent.add_callback(lambda _told: self.acknowledged.append(value))
            sent.add_errback(lambda error: self.failures.append(repr(error)))
        except Exception as error:
            self.failures.append(repr(error))
        time.sleep(0.005)

    def finish(self):
        self.producer.flush(40)
        self.producer.close()


def increase(topic, partitions):
    admin.create_partitions({topic: NewPartitions(partitions)})


def alter_config(topic, name, value):
    admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, topic, configs={name: value})])


def delete(topic):
    admin.delete_topics([topic])


def delete_group(group):
    if is_old:
        admin.delete_consumer_groups([group])
    else:
        admin.delete_groups([group])


serve(
    kafka.__version__,
    ["none", "gzip", "snappy", "lz4", "zstd"],
    {
        "create": create,
        "topics": topics,
        "describe": describe,
        "produce": produce,
        "read": read,
        "offsetFor": offset_for,
        "join": KafkaMember,
        "committed": committed,
        "groups": groups,
        "flow": KafkaFlow,
        "increase": increase,
        "alterConfig": alter_config,
        "delete": delete,
        "deleteGroup": delete_group,
    },
)
