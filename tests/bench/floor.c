/* SPDX-License-Identifier: Apache-2.0
 *
 * The durable floor: the least that a gateway can do which loses nothing over a restart of the broker. It polls ten
 * Modbus units, commits each round to SQLite (WAL, FULL), publishes one JSON message a unit with QoS 1, and deletes a row when
 * its PUBACK has come, in the commit of a later round. No configuration, no quality, no windows, no metrics, no supervision.
 *
 * floor MODBUS_PORT MQTT_PORT DATABASE PERIOD_MS      (PERIOD_MS 0: as fast as it goes)
 */
#include <MQTTAsync.h>
#include <modbus/modbus.h>
#include <pthread.h>
#include <semaphore.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { UNITS = 10, REGISTERS = 100, WINDOW = 100, RING = 1 << 16 };

static sem_t window_free, connected;
static pthread_mutex_t acks_lock = PTHREAD_MUTEX_INITIALIZER;
static long acks[RING];
static unsigned acks_in, acks_out;

static void die(const char* what) {
  fprintf(stderr, "floor: %s\n", what);
  exit(1);
}

static void on_connected(void* context, MQTTAsync_successData* data) {
  (void)context, (void)data;
  sem_post(&connected);
}
static void on_refused(void* context, MQTTAsync_failureData* data) {
  (void)context, (void)data;
  die("no broker");
}
static void on_acknowledged(void* context, MQTTAsync_successData* data) {
  (void)data;
  pthread_mutex_lock(&acks_lock);
  acks[acks_in++ % RING] = (long)context;
  pthread_mutex_unlock(&acks_lock);
  sem_post(&window_free);
}

static void sql(sqlite3* db, const char* text) {
  if (sqlite3_exec(db, text, NULL, NULL, NULL) != SQLITE_OK) die(sqlite3_errmsg(db));
}
static sqlite3_stmt* prepare(sqlite3* db, const char* text) {
  sqlite3_stmt* statement = NULL;
  if (sqlite3_prepare_v2(db, text, -1, &statement, NULL) != SQLITE_OK) die(sqlite3_errmsg(db));
  return statement;
}
static void step(sqlite3* db, sqlite3_stmt* statement) {
  if (sqlite3_step(statement) != SQLITE_DONE) die(sqlite3_errmsg(db));
  sqlite3_reset(statement);
}

int main(int argc, char** argv) {
  if (argc != 5) die("usage: floor MODBUS_PORT MQTT_PORT DATABASE PERIOD_MS");
  long period_ns = atol(argv[4]) * 1000000L;

  sqlite3* db = NULL;
  if (sqlite3_open(argv[3], &db) != SQLITE_OK) die("no database");
  sql(db, "PRAGMA journal_mode=WAL");
  sql(db, "PRAGMA synchronous=FULL");
  sql(db, "CREATE TABLE IF NOT EXISTS waiting(id INTEGER PRIMARY KEY, unit INT, ms INT, registers BLOB)");
  sqlite3_stmt* insert = prepare(db, "INSERT INTO waiting(unit, ms, registers) VALUES(?,?,?)");
  sqlite3_stmt* delete = prepare(db, "DELETE FROM waiting WHERE id=?");

  char uri[64];
  snprintf(uri, sizeof uri, "tcp://127.0.0.1:%s", argv[2]);
  MQTTAsync client;
  if (MQTTAsync_create(&client, uri, "floor", MQTTCLIENT_PERSISTENCE_NONE, NULL)) die("no client");
  MQTTAsync_connectOptions options = MQTTAsync_connectOptions_initializer;
  options.onSuccess = on_connected;
  options.onFailure = on_refused;
  options.maxInflight = WINDOW;
  sem_init(&connected, 0, 0);
  sem_init(&window_free, 0, WINDOW);
  MQTTAsync_connect(client, &options);
  sem_wait(&connected);

  modbus_t* bus = modbus_new_tcp("127.0.0.1", atoi(argv[1]));
  if (bus == NULL || modbus_connect(bus) != 0) die("no Modbus server");

  static uint16_t registers[UNITS][REGISTERS];
  struct timespec next;
  clock_gettime(CLOCK_MONOTONIC, &next);
  for (;;) {
    for (int unit = 0; unit < UNITS; ++unit) {
      modbus_set_slave(bus, unit + 1);
      if (modbus_read_registers(bus, 0, REGISTERS, registers[unit]) != REGISTERS) die("Modbus read");
    }
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    long ms = now.tv_sec * 1000L + now.tv_nsec / 1000000L;

    long ids[UNITS];
    sql(db, "BEGIN IMMEDIATE");
    pthread_mutex_lock(&acks_lock);
    unsigned until = acks_in;
    pthread_mutex_unlock(&acks_lock);
    for (; acks_out != until; ++acks_out) {
      sqlite3_bind_int64(delete, 1, acks[acks_out % RING]);
      step(db, delete);
    }
    for (int unit = 0; unit < UNITS; ++unit) {
      sqlite3_bind_int(insert, 1, unit + 1);
      sqlite3_bind_int64(insert, 2, ms);
      sqlite3_bind_blob(insert, 3, registers[unit], sizeof registers[unit], SQLITE_STATIC);
      step(db, insert);
      ids[unit] = (long)sqlite3_last_insert_rowid(db);
    }
    sql(db, "COMMIT");

    for (int unit = 0; unit < UNITS; ++unit) {
      char text[2048], topic[16];
      int n = snprintf(text, sizeof text, "{\"ms\":%ld,\"unit\":%d,\"values\":[%d", ms, unit + 1, registers[unit][0]);
      for (int i = 1; i < REGISTERS; ++i) n += snprintf(text + n, sizeof text - (size_t)n, ",%d", registers[unit][i]);
      n += snprintf(text + n, sizeof text - (size_t)n, "]}");
      snprintf(topic, sizeof topic, "floor/%d", unit + 1);
      MQTTAsync_responseOptions response = MQTTAsync_responseOptions_initializer;
      response.onSuccess = on_acknowledged;
      response.context = (void*)ids[unit];
      sem_wait(&window_free);
      if (MQTTAsync_send(client, topic, n, text, 1, 0, &response) != MQTTASYNC_SUCCESS) die("publish");
    }
    if (period_ns == 0) continue;
    next.tv_nsec += period_ns % 1000000000L;
    next.tv_sec += period_ns / 1000000000L + next.tv_nsec / 1000000000L;
    next.tv_nsec %= 1000000000L;
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &next, NULL);
  }
}
