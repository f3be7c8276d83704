"""Runs the stories of contract.txtar over pika.

Standard input is JSON: the address of a broker, the password, and the
commands of each story. Standard output is JSON: for each command of each
story the lines that it answers. broker_amqp091_test.go is the other driver
and says the same of the same.
"""

import json
import re
import socket
import sys
import time

import pika
from pika import exceptions

PATIENCE = 10.0
LULL = 0.15

BLOCKS = [bytes(i ^ base for i in range(256)) for base in range(256)]


def inflate(text):
    if not text.startswith("*") or not text[1:].isdigit():
        return text.encode()
    size = int(text[1:])
    blocks = (BLOCKS[(high ^ high >> 8) & 255] for high in range((size + 255) // 256))
    return b"".join(blocks)[:size]


def deflate(body):
    if len(body) <= 64:
        return body.decode()
    if inflate(f"*{len(body)}") == body:
        return f"*{len(body)}"
    return f"{len(body)} bytes that are not those published"


def text(error):
    if isinstance(error, (exceptions.ConnectionClosedByClient, exceptions.ChannelClosedByClient)):
        return "in order"
    if isinstance(error, (exceptions.ConnectionClosed, exceptions.ChannelClosed)):
        return f"{error.reply_code} {error.reply_text}"
    return f"error: {type(error).__name__} {error}"


def describe(consumer, method, properties, body):
    line = f"{consumer}: " if consumer else ""
    line += f"{method.delivery_tag} {deflate(body)} exchange={method.exchange} key={method.routing_key}"
    if method.redelivered:
        line += " redelivered"
    for name in ("content_type", "correlation_id", "user_id", "timestamp"):
        value = getattr(properties, name)
        if value is not None:
            line += f" {name}={value}"
    if properties.headers:
        line += " headers=" + json.dumps(properties.headers, sort_keys=True, separators=(",", ":"))
    return line


class Channel:
    def __init__(self, connection, name, confirm):
        self.connection = connection
        self.name = name
        self.channel = connection.channel()
        self.deliveries = []
        self.canceled = []
        self.channel.add_on_cancel_callback(lambda frame: self.canceled.append(frame.method.consumer_tag))
        self.confirm = confirm
        if confirm:
            self.channel.confirm_delivery()


class Driver:
    def __init__(self, address, password):
        self.host, port = address.split(":")
        self.port = int(port)
        self.password = password
        self.connections = {}
        self.reasons = {}  # why connections ended
        self.channels = {}

    def pump(self):
        for connection in list(self.connections.values()):
            if connection.is_open:
                try:
                    connection.process_data_events(0)
                except exceptions.AMQPError:
                    pass

    def wait(self, condition, patience=PATIENCE):
        until = time.monotonic() + patience
        while not condition():
            if time.monotonic() > until:
                return False
            self.pump()
            time.sleep(0.005)
        return True

    def do(self, line):
        command, *words = line.split()
        if command == "eventually":
            return self.eventually(words)
        options = dict(w.split("=", 1) for w in words if "=" in w)
        arguments = ["" if w == "-" else w for w in words if "=" not in w]
        try:
            answer = getattr(self, "do_" + command.replace(".", "_"))(*arguments, **options)
        except Exception as error:
            return [text(error)]
        return ["ok"] if answer is None else answer

    def eventually(self, words):
        name, command, *rest = words
        until = time.monotonic() + PATIENCE
        while True:
            answer = self.do(" ".join([command, name, *rest]))
            if answer == ["ok"] or time.monotonic() > until:
                return answer
            time.sleep(LULL / 3)
            self.channels[name] = Channel(self.channels[name].connection, name, False)

    def end(self):
        for connection in self.connections.values():
            if connection.is_open:
                connection.close()

    # connections

    def do_connect(self, name, user="all", password=None, vhost="/", frame_max=None):
        parameters = pika.ConnectionParameters(
            self.host,
            self.port,
            vhost,
            pika.PlainCredentials(user, password or self.password),
            **({"frame_max": int(frame_max)} if frame_max else {}),
        )
        try:
            self.connections[name] = connection = pika.BlockingConnection(parameters)
            self.reasons.pop(name, None)
            connection._impl.add_on_close_callback(lambda _, error: self.reasons.setdefault(name, error))
        except exceptions.ProbableAuthenticationError:
            return ["error: refused"]
        except exceptions.ProbableAccessDeniedError as error:
            return [" ".join(re.search(r"\((\d+)\) '(.*)'", str(error)).groups())]

    def do_drop(self, name):
        self.connections.pop(name)._impl._transport._sock.shutdown(socket.SHUT_RDWR)

    def do_end(self, name):
        self.connections[name].close()

    def do_ended(self, name):
        return [text(self.reasons[name])] if self.wait(lambda: name in self.reasons) else ["nothing came"]

    # channels

    def do_channel(self, connection, name, confirm="no"):
        self.channels[name] = Channel(self.connections[connection], name, confirm == "yes")

    def do_close(self, name):
        self.channels[name].channel.close()

    def do_closed(self, name):
        channel = self.channels[name].channel
        if not self.wait(lambda: channel.is_closed):
            return ["nothing came"]
        return [text(channel._closing_reason)]

    def do_qos(self, name, count, **options):
        self.channels[name].channel.basic_qos(prefetch_count=int(count), global_qos=options.get("global") == "yes")

    # exchanges and queues

    def do_exchange_declare(self, name, exchange, kind="direct", passive="no", durable="no", auto_delete="no"):
        self.channels[name].channel.exchange_declare(
            exchange, kind, passive=passive == "yes", durable=durable == "yes", auto_delete=auto_delete == "yes"
        )

    def do_exchange_delete(self, name, exchange, if_unused="no"):
        self.channels[name].channel.exchange_delete(exchange, if_unused=if_unused == "yes")

    def do_queue_declare(self, name, queue="", passive="no", durable="no", exclusive="no", auto_delete="no"):
        ok = self.channels[name].channel.queue_declare(
            queue, passive=passive == "yes", durable=durable == "yes", exclusive=exclusive == "yes",
            auto_delete=auto_delete == "yes",
        ).method
        if ok.queue.startswith("amq.gen-"):
            ok.queue = "amq.gen-..."
        return [f"{ok.queue} ready={ok.message_count} consumers={ok.consumer_count}"]

    def do_bind(self, name, queue, exchange, key=""):
        self.channels[name].channel.queue_bind(queue, exchange, key)

    def do_unbind(self, name, queue, exchange, key=""):
        self.channels[name].channel.queue_unbind(queue, exchange, key)

    def do_purge(self, name, queue):
        return [f"{self.channels[name].channel.queue_purge(queue).method.message_count} messages"]

    def do_queue_delete(self, name, queue, if_unused="no", if_empty="no"):
        ok = self.channels[name].channel.queue_delete(queue, if_unused=if_unused == "yes", if_empty=if_empty == "yes")
        return [f"{ok.method.message_count} messages"]

    # messages

    def do_publish(self, name, key="", exchange="", body="", mandatory="no", n="1", **options):
        channel = self.channels[name]
        if "timestamp" in options:
            options["timestamp"] = int(options["timestamp"])
        if "headers" in options:
            options["headers"] = json.loads(options["headers"])
        answer = None
        for i in range(int(n)):
            content = body + (str(i + 1) if n != "1" else "")
            try:
                channel.channel.basic_publish(
                    exchange, key, inflate(content), pika.BasicProperties(**options), mandatory == "yes"
                )
                answer = ["confirmed"]
            except exceptions.UnroutableError as error:
                returned = error.messages[0]
                method = returned.method
                answer = [f"returned {method.reply_code} {method.reply_text} {deflate(returned.body)}", "confirmed"]
            except exceptions.NackError:
                return ["refused"]
        return answer if channel.confirm else None

    def do_get(self, name, queue, no_ack="no"):
        method, properties, body = self.channels[name].channel.basic_get(queue, auto_ack=no_ack == "yes")
        if method is None:
            return ["empty"]
        return [describe("", method, properties, body) + f" left={method.message_count}"]

    def do_consume(self, name, queue, consumer, no_ack="no", exclusive="no"):
        channel = self.channels[name]
        channel.channel.basic_consume(
            queue,
            lambda _, method, properties, body: channel.deliveries.append(
                describe(method.consumer_tag, method, properties, body)
            ),
            auto_ack=no_ack == "yes",
            exclusive=exclusive == "yes",
            consumer_tag=consumer,
        )

    def do_cancel(self, name, consumer):
        self.channels[name].channel.basic_cancel(consumer)

    def do_canceled(self, name):
        canceled = self.channels[name].canceled
        return [canceled.pop(0)] if self.wait(lambda: canceled) else ["nothing came"]

    def do_take(self, name, n="1"):
        deliveries = self.channels[name].deliveries
        lines = []
        for _ in range(int(n)):
            lines.append(deliveries.pop(0) if self.wait(lambda: deliveries) else "nothing came")
        return lines

    def do_quiet(self, name):
        deliveries = self.channels[name].deliveries
        return [deliveries.pop(0)] if self.wait(lambda: deliveries, LULL) else ["nothing"]

    def do_ack(self, name, tag, multiple="no"):
        self.channels[name].channel.basic_ack(int(tag), multiple == "yes")

    def do_nack(self, name, tag, multiple="no", requeue="no"):
        self.channels[name].channel.basic_nack(int(tag), multiple == "yes", requeue == "yes")

    def do_reject(self, name, tag, requeue="no"):
        self.channels[name].channel.basic_reject(int(tag), requeue == "yes")

    def do_recover(self, name, requeue="no"):
        self.channels[name].channel.basic_recover(requeue == "yes")


def main():
    task = json.load(sys.stdin)
    seen = []
    for commands in task["stories"]:
        driver = Driver(task["address"], task["password"])
        seen.append([driver.do(line) for line in commands])
        driver.end()
    json.dump(seen, sys.stdout)


main()
