"""The conversation of a client program with the suite: a JSON command a line comes in, its answer a line goes out.

Commands are taken one after the other. A client lacks what its program has no function for.
"""
import base64
import json
import sys
import threading
import traceback


def to_bytes(text):
    return None if text is None else text.encode()


def to_text(data):
    return None if data is None else bytes(data).decode()


class Member(threading.Thread):
    """A member of a group: what it holds, what it has got, until it is told to leave.

    A client gives it its `consumer`, and says how records come (`poll`: partition, offset, value) and are committed.
    """

    def __init__(self):
        super().__init__(daemon=True)
        self.lock = threading.Lock()
        self.assignment = []
        self.records = []
        self.leaving = threading.Event()
        self.error = None

    def run(self):
        try:
            while not self.leaving.is_set():
                for partition, offset, value in self.poll():
                    with self.lock:
                        self.records.append([partition, offset, to_text(value)])
                self.assignment = [one.partition for one in self.consumer.assignment()]
            self.commit()
            self.consumer.close()
        except Exception:
            self.error = traceback.format_exc()

    def state(self):
        if self.error:
            raise RuntimeError(self.error)
        with self.lock:
            return {"assignment": sorted(self.assignment), "records": list(self.records)}

    def leave(self):
        self.leaving.set()
        self.join(40)
        if self.is_alive():
            raise RuntimeError("the member does not end")
        return self.state()


class Flow(threading.Thread):
    """Numbered records one after the other until it is told to end; remembers which were acknowledged.

    A client says how one is sent (`send`) and how the last answers are waited for (`finish`).
    """

    def __init__(self, topic):
        super().__init__(daemon=True)
        self.topic = topic
        self.acknowledged = []
        self.failures = []
        self.ending = threading.Event()

    def run(self):
        number = 0
        while not self.ending.is_set():
            self.send(str(number))
            number += 1
        self.finish()

    def state(self):
        return {"acknowledged": len(self.acknowledged), "failures": self.failures[:5]}

    def end(self):
        self.ending.set()
        self.join(60)
        if self.is_alive():
            raise RuntimeError("the flow does not end")
        return {"acknowledged": self.acknowledged, "failures": self.failures[:5]}


def serve(version, codecs, commands):
    members = {}
    flows = {}

    def join(member, **options):
        members[member] = commands["join"](**options)
        members[member].start()

    def flow(topic):
        flows[topic] = commands["flow"](topic)
        flows[topic].start()

    table = dict(
        commands,
        join=join,
        member=lambda member: members[member].state(),
        leave=lambda member: members[member].leave(),
        flow=flow,
        flowState=lambda topic: flows[topic].state(),
        endFlow=lambda topic: flows[topic].end(),
    )
    say({"version": version, "codecs": codecs, "can": sorted(table)})
    for line in sys.stdin:
        command = json.loads(line)
        try:
            say({"result": table[command.pop("do")](**command)})
        except Exception:
            say({"error": traceback.format_exc()})


def say(answer):
    def default(value):
        if isinstance(value, (bytes, bytearray)):
            return base64.b64encode(value).decode()
        return str(value)

    print(json.dumps(answer, default=default), flush=True)
