"""A consumer that holds its partition itself and commits every record once it is worked off.

It stops in the middle, after offset 249. Started again, it goes on where it was.
"""
from kafka import KafkaConsumer, TopicPartition

consumer = KafkaConsumer(
    bootstrap_servers="localhost:9092",
    group_id="careful-lesson",
    enable_auto_commit=False,
    auto_offset_reset="earliest",
)
partition = TopicPartition("readings", 0)
consumer.assign([partition])
print("starts at", consumer.position(partition), flush=True)
for message in consumer:
    print(message.offset, flush=True)
    consumer.seek(partition, message.offset + 1)
    consumer.commit()
    if message.offset == 249:
        break
consumer.close()
