/* SPDX-License-Identifier: Apache-2.0
 *
 * A good driver that shows what passes between host and driver: it says what it was configured with,
 * uses every host function, and decodes. Its first poll lasts as long as option `block` says.
 */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <gerbang/driver.h>

static const gerbang_option_spec options[] = {
    {.size = sizeof(gerbang_option_spec),
     .type = GERBANG_DURATION,
     .name = "block",
     .fallback = "0s",
     .help = "How long the first poll lasts",
     .maximum = 10000},
    {.size = sizeof(gerbang_option_spec),
     .type = GERBANG_STRING,
     .name = "greeting",
     .fallback = "hello",
     .help = "Said when it is opened"},
};
static const gerbang_option_spec address[] = {{.size = sizeof(gerbang_option_spec),
                                               .type = GERBANG_INTEGER,
                                               .flags = GERBANG_REQUIRED | GERBANG_IDENTITY,
                                               .name = "number",
                                               .help = "What it reads",
                                               .minimum = 0,
                                               .maximum = 1000}};

struct gerbang_instance {
  const gerbang_host* host;
  const gerbang_config* config;
  int64_t block_ms;
  int64_t last_ns;
};
static gerbang_instance the_instance;

static const gerbang_description* describe(void) {
  static const gerbang_description description = {.size = sizeof description,
                                                  .max_block_ms = 10000,
                                                  .options = options,
                                                  .option_count = 2,
                                                  .address = address,
                                                  .address_count = 1,
                                                  .summary = "Shows what a host does."};
  return &description;
}

static const gerbang_value* value(const gerbang_value* values, size_t count, const char* name) {
  static const gerbang_value none = {.size = sizeof none, .name = "", .text = ""};
  for (size_t i = 0; i < count; ++i) {
    const gerbang_value* v = (const void*)((const char*)values + i * values->size);
    if (strcmp(v->name, name) == 0) return v;
  }
  return &none;
}

static gerbang_status open_(const gerbang_host* host, const gerbang_config* config,
                            gerbang_instance** instance) {
  char line[256];
  const gerbang_value* greeting = value(config->options, config->option_count, "greeting");
  const gerbang_value* block = value(config->options, config->option_count, "block");
  snprintf(line, sizeof line, "%s: %s, %zu sensors", config->instance, greeting->text,
           config->sensor_count);
  host->log(host, GERBANG_LOG_INFO, line);
  the_instance = (gerbang_instance){host, config, block->integer, 0};
  *instance = &the_instance;
  return GERBANG_OK;
}

static void sleep_ms(int64_t ms) {
  struct timespec t = {(time_t)(ms / 1000), (long)(ms % 1000) * 1000000};
  nanosleep(&t, NULL);
}

static gerbang_status poll_(gerbang_instance* me, uint32_t budget_ms) {
  const gerbang_host* host = me->host;
  if (me->block_ms > 0) {
    sleep_ms(me->block_ms);
    me->block_ms = 0;
  }
  int64_t now = host->boottime_ns(host);
  if (now - me->last_ns < 100000000) {
    sleep_ms(budget_ms < 10 ? budget_ms : 10);
    return GERBANG_OK;
  }
  me->last_ns = now;
  host->trace(host, "box 1", 1, "\x01\x02", 2);
  host->trace(host, "box 1", 0, "\x03", 1);
  host->exchange(host, "box 1", GERBANG_REASON_NONE, 1500);
  host->exchange(host, "box 1", GERBANG_REASON_TIMEOUT, 500000);
  for (size_t i = 0; i < me->config->sensor_count; ++i) {
    const gerbang_sensor* sensor =
        (const void*)((const char*)me->config->sensors + i * me->config->sensors->size);
    const gerbang_value* number = value(sensor->address, sensor->address_count, "number");
    gerbang_reading reading = {.size = sizeof reading,
                               .sensor = sensor->index,
                               .flags = GERBANG_HAS_INTEGER,
                               .quality = GERBANG_GOOD,
                               .integer = number->integer,
                               .unix_ns = number->integer * 1000000000};
    host->emit(host, &reading, 1);
  }
  const gerbang_field fields[] = {{sizeof(gerbang_field), 0, "net", "kg", 12340},
                                  {sizeof(gerbang_field), 0, "tare", "kg", 8000}};
  gerbang_event event = {.size = sizeof event,
                         .sensor = me->config->sensors->index,
                         .kind = "weighing",
                         .text = "DD 1234 AB",
                         .fields = fields,
                         .field_count = 2};
  host->emit_event(host, &event);
  return GERBANG_OK;
}

static void close_(gerbang_instance* me) {
  me->host->log(me->host, GERBANG_LOG_INFO, "closed");
}

static gerbang_status decode(const gerbang_host* host, const gerbang_config* config,
                             const void* data, size_t size) {
  (void)config;
  if (size == 0) {
    host->log(host, GERBANG_LOG_ERROR, "an empty frame");
    return GERBANG_RETRY;
  }
  for (size_t i = 0; i < size && i < 4096; ++i) {
    gerbang_reading reading = {.size = sizeof reading,
                               .sensor = (uint32_t)i,
                               .quality = GERBANG_NOT_EVALUATED,
                               .number = ((const unsigned char*)data)[i]};
    host->emit(host, &reading, 1);
  }
  return GERBANG_OK;
}

/* With greeting "wait" it searches until it is told to stop. */
static gerbang_status scan(const gerbang_host* host, const gerbang_config* config,
                           gerbang_found found, gerbang_progress progress, void* context) {
  const gerbang_value* greeting = value(config->options, config->option_count, "greeting");
  const gerbang_value* units = value(config->options, config->option_count, "units");
  progress(context, 0.5, "half way");
  found(context, "[[driver]]\nname = \"a\"\n", units->text);
  while (strcmp(greeting->text, "wait") == 0 && !host->stopping(host)) sleep_ms(10);
  found(context, "[[driver]]\nname = \"b\\\"\x01\"\n", "the second\none");
  host->log(host, GERBANG_LOG_WARNING, "something talks");
  return GERBANG_OK;
}

const gerbang_driver_table* gerbang_driver(void) {
  static const gerbang_driver_table table = {
      sizeof table, GERBANG_ABI_MAJOR, GERBANG_ABI_MINOR, 0, "probe", "1.0", describe,
      open_,        poll_,             close_,            decode, scan};
  return &table;
}
