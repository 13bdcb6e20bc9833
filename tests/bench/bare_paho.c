/* SPDX-License-Identifier: Apache-2.0
 *
 * The bare loop: publishes the messages of a file with QoS 1 over MQTT 5, as many in flight as the window has places, and does
 * nothing else: no storage, no topics of its own, no second process. Prints the messages a second.
 *
 * bare_paho PORT WINDOW FILE      FILE: for each message its length (32 bits, this machine's order) and its bytes
 */
#include <MQTTAsync.h>
#include <semaphore.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static sem_t connected, places;

static void die(const char* what) {
  fprintf(stderr, "bare_paho: %s\n", what);
  exit(1);
}
static void on_connected(void* context, MQTTAsync_successData5* data) {
  (void)context, (void)data;
  sem_post(&connected);
}
static void on_refused(void* context, MQTTAsync_failureData5* data) {
  (void)context, (void)data;
  die("no broker");
}
static void on_acknowledged(void* context, MQTTAsync_successData5* data) {
  (void)context, (void)data;
  sem_post(&places);
}
static void on_failed(void* context, MQTTAsync_failureData5* data) {
  (void)context, (void)data;
  die("a message was refused");
}
static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

int main(int argc, char** argv) {
  if (argc != 4) die("usage: bare_paho PORT WINDOW FILE");
  int window = atoi(argv[2]);
  FILE* file = fopen(argv[3], "rb");
  if (file == NULL) die("no file");

  char uri[64];
  snprintf(uri, sizeof uri, "tcp://127.0.0.1:%s", argv[1]);
  MQTTAsync client;
  MQTTAsync_createOptions create = MQTTAsync_createOptions_initializer5;
  if (MQTTAsync_createWithOptions(&client, uri, "bare", MQTTCLIENT_PERSISTENCE_NONE, NULL, &create)) die("no client");
  MQTTAsync_connectOptions options = MQTTAsync_connectOptions_initializer5;
  options.cleanstart = 1;
  options.onSuccess5 = on_connected;
  options.onFailure5 = on_refused;
  options.maxInflight = window + 10;
  sem_init(&connected, 0, 0);
  sem_init(&places, 0, (unsigned)window);
  MQTTAsync_connect(client, &options);
  sem_wait(&connected);

  static char body[1 << 20];
  long count = 0;
  double begin = now();
  for (uint32_t length; fread(&length, sizeof length, 1, file) == 1; ++count) {
    if (length > sizeof body || fread(body, 1, length, file) != length) die("a broken file");
    sem_wait(&places);
    MQTTAsync_responseOptions response = MQTTAsync_responseOptions_initializer;
    response.onSuccess5 = on_acknowledged;
    response.onFailure5 = on_failed;
    if (MQTTAsync_send(client, "bare", (int)length, body, 1, 0, &response) != MQTTASYNC_SUCCESS) die("publish");
  }
  for (int n = 0; n < window; ++n) sem_wait(&places);
  printf("%.1f\n", (double)count / (now() - begin));
  return 0;
}
