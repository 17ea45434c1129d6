"""A consumer that holds its partition itself and commits every record once it is worked off.

Its third argument is the offset after which it stops; without one it reads on.
"""
import sys

from kafka import KafkaConsumer, TopicPartition

address, topic = sys.argv[1:3]
last = int(sys.argv[3]) if len(sys.argv) > 3 else None
consumer = KafkaConsumer(
    bootstrap_servers=address,
    group_id="careful-lesson",
    enable_auto_commit=False,
    auto_offset_reset="earliest",
)
partition = TopicPartition(topic, 0)
consumer.assign([partition])
print("starts at", consumer.position(partition), flush=True)
for message in consumer:
    print(message.offset, flush=True)
    consumer.seek(partition, message.offset + 1)
    consumer.commit()
    if message.offset == last:
        break
consumer.close()
