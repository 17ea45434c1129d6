"""A first consumer: a member of a group that reads for ever."""
import json
import sys

from kafka import KafkaConsumer

consumer = KafkaConsumer(
    sys.argv[2],
    bootstrap_servers=sys.argv[1],
    group_id="first-lesson",
    auto_offset_reset="earliest",
)
for message in consumer:
    print(json.loads(message.value)["number"], flush=True)
