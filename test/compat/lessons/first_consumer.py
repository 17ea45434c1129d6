"""A first consumer: a member of a group that reads for ever."""
import json

from kafka import KafkaConsumer

consumer = KafkaConsumer(
    "readings",
    bootstrap_servers="localhost:9092",
    group_id="first-lesson",
    auto_offset_reset="earliest",
)
for message in consumer:
    print(json.loads(message.value)["number"], flush=True)
