"""A first producer: waits for the cluster, writes numbered readings to a topic nobody has created."""
import json
import sys
import time

from kafka import KafkaProducer
from kafka.errors import NoBrokersAvailable


def connect(address):
    while True:
        try:
            return KafkaProducer(bootstrap_servers=address)
        except NoBrokersAvailable:
            print("no broker yet, trying again", flush=True)
            time.sleep(0.3)


address, topic, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
producer = connect(address)
print("connected", flush=True)
for number in range(count):
    reading = {"number": number, "degrees": 20 + number % 5}
    now = int(time.time() * 1000)
    producer.send(topic, json.dumps(reading).encode("utf-8"), timestamp_ms=now)
    producer.flush()
print(f"sent {count}", flush=True)
