"""A first producer: waits for the cluster, writes numbered readings to a topic nobody has created."""
import json
import time

from kafka import KafkaProducer
from kafka.errors import NoBrokersAvailable


def connect():
    while True:
        try:
            return KafkaProducer(bootstrap_servers="localhost:9092")
        except NoBrokersAvailable:
            print("no broker yet, trying again", flush=True)
            time.sleep(0.3)


producer = connect()
print("connected", flush=True)
for number in range(300):
    reading = {"number": number, "degrees": 20 + number % 5}
    now = int(time.time() * 1000)
    producer.send("readings", json.dumps(reading).encode("utf-8"), timestamp_ms=now)
    producer.flush()
print("sent 300", flush=True)
