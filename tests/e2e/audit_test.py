#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`gerbangctl subscribe --audit` never gives a clean bill for what it has not heard."""
import json
import signal
import socket
import subprocess
import threading
import unittest

import paho.mqtt.publish as publish

from harness import BUILD, Bench, Broker, ROOT, free_port, schema

PLACE = "maros/ipa-1/gw-1"


def command(port, *arguments):
    return [str(BUILD / "bin" / "gerbangctl"), "subscribe", "--audit", "--url", f"mqtt://127.0.0.1:{port}", *arguments]


def audit(port, *arguments):
    return subprocess.run(command(port, *arguments), capture_output=True, text=True, timeout=30)


def say_state(bench, broker, sequence, retain=False):
    state = schema(bench).GatewayState()
    state.source.region, state.source.site, state.source.gateway = PLACE.split("/")
    state.source.stream, state.source.sequence, state.online = "s1", sequence, True
    publish.single(f"{ROOT}/{PLACE}/state", state.SerializeToString(), qos=1, retain=retain, port=broker.port)


def refusing_broker(code):
    """Takes connections of MQTT 5 and refuses the first subscription with this code; its port."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve():
        with listener, listener.accept()[0] as client:
            client.recv(4096)
            client.sendall(bytes([0x20, 3, 0, 0, 0]))
            subscribe = client.recv(4096)
            client.sendall(bytes([0x90, 4]) + subscribe[2:4] + bytes([0, code]))
            client.recv(4096)
    threading.Thread(target=serve, daemon=True).start()
    return listener.getsockname()[1]


class WhatCannotBeHeard(unittest.TestCase):
    def test_a_filter_that_no_broker_takes_is_a_usage_error_before_connecting(self):
        nobody = free_port()
        for option, text in (("--topic", "a/#/b"), ("--topic", "a#"), ("--root", "a/#"), ("--root", "+")):
            with self.subTest(text):
                done = audit(nobody, option, text)
                self.assertEqual(done.returncode, 64, done.stderr)
                self.assertIn(f'{option} "{text}": ', done.stderr)
                self.assertEqual(done.stdout, "")

    def test_an_audit_that_hears_nothing_says_on_which_topics(self):
        with Bench() as bench:
            nothing = bench.write("acl", "topic write #\n")
            nothing.chmod(0o600)
            broker = Broker(bench, f"acl_file {nothing}")
            say_state(bench, broker, 1, retain=True)
            done = audit(broker.port, "--for", "1s")
            self.assertEqual(done.returncode, 69, done.stdout)
            self.assertIn(f"no message of a gateway was heard on {ROOT}/#: ", done.stdout)
            self.assertNotIn("0 gaps", done.stdout)
            done = audit(broker.port, "--for", "1s", "--json", "--topic", "+/+/+/gap")
            self.assertEqual(done.returncode, 69, done.stdout)
            report = json.loads(done.stdout)
            self.assertEqual((report["complete"], report["heard"], report["filter"]), (False, 0, f"{ROOT}/+/+/+/gap"))

    def test_the_state_that_the_broker_kept_is_enough_of_an_idle_gateway(self):
        with Bench() as bench:
            broker = Broker(bench)
            say_state(bench, broker, 1, retain=True)
            done = audit(broker.port, "--for", "1s", "--json", "--quiet")
            self.assertEqual(done.returncode, 0, done.stdout)
            report = json.loads(done.stdout)
            self.assertEqual((report["complete"], report["heard"], report["cutOff"]), (True, 1, False))

    def test_a_broker_that_does_not_come_back_leaves_the_audit_unfinished(self):
        with Bench() as bench:
            broker = Broker(bench)
            say_state(bench, broker, 1, retain=True)
            auditor = subprocess.Popen(command(broker.port, "--for", "15s"), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                       text=True)
            first = auditor.stdout.readline()
            self.assertIn(f"{PLACE}/state", first)
            say_state(bench, broker, 2)
            while "#2" not in auditor.stdout.readline():
                self.assertIsNone(auditor.poll())
            broker.stop(signal.SIGKILL)
            self.assertIn("disconnected", auditor.stderr.readline())
            auditor.terminate()
            out, notes = auditor.communicate(timeout=20)
            self.assertEqual(auditor.returncode, 69, out + notes)
            self.assertIn("stream s1: 1 messages, #2 to #2", out)
            self.assertIn("0 gaps in 1 streams; the audit is not finished: ", out.splitlines()[-1])

    def test_a_subscription_that_the_broker_refuses_is_said(self):
        port = refusing_broker(0x87)
        done = audit(port, "--for", "5s")
        self.assertEqual(done.returncode, 69, done.stdout)
        self.assertIn(f"the broker refuses the subscription to {ROOT}/#: ", done.stderr)
        self.assertEqual(done.stdout, "")


if __name__ == "__main__":
    unittest.main(verbosity=2)
