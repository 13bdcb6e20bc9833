/* SPDX-License-Identifier: Apache-2.0
 *
 * The contract between Gerbang and a sensor driver.
 *
 * A driver is a shared object that exports one symbol, gerbang_driver(). It runs in a process of
 * its own (gerbang-driver-host), one process for each [[driver]] of the configuration. A crash, a
 * hang or a leak costs that process and nothing else.
 *
 * Rules that hold everywhere:
 *  - One thread. The host calls a driver from one thread only, never concurrently, and never after
 * close.
 *  - Every struct begins with its size as its writer compiled it. A reader touches a field only if
 * the size covers it. Fields are appended, never changed; that raises GERBANG_ABI_MINOR. Anything
 * else raises GERBANG_ABI_MAJOR, and a host refuses a driver of another major. All elements of an
 * array have the size that its first one says: step by that, not by sizeof.
 *  - No memory changes owner. What the host passes lives until the call returns, but for what
 *    gerbang_config points at, which lives until close. What a driver passes is copied before the
 * host function returns.
 *  - Text is UTF-8 and ends with a zero byte.
 *  - No C++ exception may cross this line (driver.hpp catches them).
 *  - A driver never changes a setting, an output or a stored value of a device.
 */
#ifndef GERBANG_DRIVER_H
#define GERBANG_DRIVER_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define GERBANG_ABI_MAJOR 1u
#define GERBANG_ABI_MINOR 1u

#if defined(__GNUC__)
#define GERBANG_EXPORT __attribute__((visibility("default")))
#else
#define GERBANG_EXPORT
#endif

/* What the host does next. */
typedef enum gerbang_status {
  GERBANG_OK = 0,    /* go on */
  GERBANG_RETRY = 1, /* nothing came now; keep the instance and call again */
  GERBANG_GONE = 2,  /* the line is lost: close this instance and open a new one, with back-off */
  GERBANG_CONFIG = 3 /* the operator has to change the configuration: stop for good */
} gerbang_status;

/* QARTOD / IODE primary level flags. */
typedef enum gerbang_quality {
  GERBANG_GOOD = 1,
  GERBANG_NOT_EVALUATED = 2, /* what a driver normally says: the number is as the device sent it */
  GERBANG_SUSPECT = 3,
  GERBANG_BAD = 4,
  GERBANG_MISSING = 9 /* no number; give a reason */
} gerbang_quality;

/* Why a reading is bad or missing. The numbers are those of gerbang.v1.Reason. */
typedef enum gerbang_reason {
  GERBANG_REASON_NONE = 0,
  GERBANG_REASON_TIMEOUT = 1,
  GERBANG_REASON_CRC = 2,
  GERBANG_REASON_EXCEPTION = 3,
  GERBANG_REASON_RANGE = 4,
  GERBANG_REASON_NO_CONNECTION = 7,
  GERBANG_REASON_PROTOCOL = 8,
  GERBANG_REASON_NOT_A_NUMBER = 9,
  GERBANG_REASON_WARM_UP = 15,
  GERBANG_REASON_DEVICE_FAULT = 16,
  GERBANG_REASON_NO_TARGET = 17,
  GERBANG_REASON_BACK_OFF = 18,
  GERBANG_REASON_CONVERSION = 19,
  GERBANG_REASON_CALIBRATION = 20
} gerbang_reason;

typedef enum gerbang_log_level {
  GERBANG_LOG_DEBUG = 0,
  GERBANG_LOG_INFO = 1,
  GERBANG_LOG_WARNING = 2,
  GERBANG_LOG_ERROR = 3
} gerbang_log_level;

/* Type of an option or address key. */
typedef enum gerbang_type {
  GERBANG_STRING = 1,
  GERBANG_INTEGER = 2,
  GERBANG_NUMBER = 3,
  GERBANG_BOOLEAN = 4,
  GERBANG_DURATION = 5, /* "500ms" in the configuration, milliseconds here */
  GERBANG_CHOICE = 6    /* one of `choices` */
} gerbang_type;

enum {
  GERBANG_REQUIRED = 1u, /* the configuration must give it */
  GERBANG_IDENTITY =
      2u /* address keys: two sensors of a driver must differ in at least one of these */
};

/* One key that a driver understands. The daemon checks the configuration against these and explains
 * them to people; a driver never sees an unknown key, a wrong type or a number out of bounds. */
typedef struct gerbang_option_spec {
  uint32_t size;
  uint32_t type;  /* gerbang_type */
  uint32_t flags; /* GERBANG_REQUIRED | GERBANG_IDENTITY */
  uint32_t reserved;
  const char* name; /* lower case with underscores, as in the configuration */
  const char*
      fallback; /* default as written in the configuration; NULL: none, the key may be absent */
  const char* choices; /* CHOICE: "tcp|rtu"; else NULL */
  const char* help;    /* one sentence with the unit */
  double minimum; /* INTEGER, NUMBER, DURATION (milliseconds): bounds, when minimum < maximum */
  double maximum;
} gerbang_option_spec;

enum {
  GERBANG_PUSHES = 1u /* its devices speak by themselves: nobody asks them once an interval */
};

typedef struct gerbang_description {
  uint32_t size;
  uint32_t max_block_ms;              /* the longest that one poll may block beyond its budget */
  const gerbang_option_spec* options; /* [driver.options] */
  size_t option_count;
  const gerbang_option_spec* address; /* sensor `address` */
  size_t address_count;
  const char* summary; /* one sentence: what it talks to */
  /* Since 1.1 */
  uint32_t flags; /* GERBANG_PUSHES */
  uint32_t reserved;
} gerbang_description;

/* One given (or defaulted) option. Keys that are absent without a default do not appear. */
typedef struct gerbang_value {
  uint32_t size;
  uint32_t type; /* as in its spec */
  const char* name;
  const char* text; /* STRING, CHOICE; else NULL */
  int64_t integer;  /* INTEGER; BOOLEAN 0 or 1; DURATION milliseconds */
  double number;    /* NUMBER */
} gerbang_value;

typedef struct gerbang_sensor {
  uint32_t size;
  uint32_t index; /* say this in readings */
  const char* id; /* for log texts */
  int64_t
      interval_ns; /* how often it is due; GERBANG_PUSHES: how often it speaks, 0 if nobody knows */
  const gerbang_value* address;
  size_t address_count;
} gerbang_sensor;

typedef struct gerbang_config {
  uint32_t size;
  uint32_t reserved;
  const char* instance; /* the name of the [[driver]] */
  const gerbang_value* options;
  size_t option_count;
  const gerbang_sensor* sensors;
  size_t sensor_count;
} gerbang_config;

enum {
  GERBANG_HAS_INTEGER = 1u /* `integer` is the device's own count and `number` is not used */
};

/* One number of one sensor, raw: before scale and offset of the configuration. */
typedef struct gerbang_reading {
  uint32_t size;
  uint32_t sensor;  /* gerbang_sensor.index */
  uint32_t flags;   /* GERBANG_HAS_INTEGER */
  uint32_t quality; /* gerbang_quality */
  uint32_t reason;  /* gerbang_reason */
  uint32_t reserved;
  double number; /* NaN and infinities are turned into missing, NOT_A_NUMBER */
  int64_t integer;
  int64_t boottime_ns; /* CLOCK_BOOTTIME when the answer was complete; 0: the host stamps it */
  int64_t unix_ns;     /* time by the device's own clock, 0 if it has none */
} gerbang_reading;

typedef struct gerbang_field {
  uint32_t size;
  uint32_t reserved;
  const char* name;
  const char* unit;
  double value;
} gerbang_field;

/* A record of named numbers with one time: a weighing, a tipping. */
typedef struct gerbang_event {
  uint32_t size;
  uint32_t sensor;
  const char* kind;
  const char* text; /* may be NULL */
  const gerbang_field* fields;
  size_t field_count;
  int64_t boottime_ns;
  int64_t unix_ns;
} gerbang_event;

/* What the host offers. All functions may be called only during a call from the host. */
typedef struct gerbang_host gerbang_host;
struct gerbang_host {
  uint32_t size;
  uint32_t abi_minor;
  void* context; /* the host's own */
  /* Hands over `count` readings, up to 200,000 in one call of the driver; one that brings more than
   * 20,000 a second over time is polled less often. May block while the daemon is busy; a late poll
   * is the driver's excuse. */
  void (*emit)(const gerbang_host* host, const gerbang_reading* readings, size_t count);
  void (*emit_event)(const gerbang_host* host, const gerbang_event* event);
  /* Raw bytes as they passed on the line; sent != 0: to the device. Cheap when nobody looks. */
  void (*trace)(const gerbang_host* host, const char* device, int sent, const void* data,
                size_t size);
  void (*log)(const gerbang_host* host, gerbang_log_level level, const char* text);
  /* One request to a device ended: reason NONE for a good answer. `device` names it within this
   * driver. */
  void (*exchange)(const gerbang_host* host, const char* device, gerbang_reason result,
                   uint32_t microseconds);
  int64_t (*boottime_ns)(const gerbang_host* host);
  /* Not 0 once the host has been told to stop: a long poll should return soon. Readings that were
     emitted more than 20 ms ago are sent on by any call of the host: make one before a long wait.
   */
  int (*stopping)(const gerbang_host* host);
};

typedef struct gerbang_instance gerbang_instance; /* the driver's own */

/* Asks about candidates found by a scan; see `scan` below. */
typedef void (*gerbang_found)(void* context, const char* toml, const char* note);
typedef void (*gerbang_progress)(void* context, double done, const char* what);

/* The first three fields keep their offsets for ever. */
typedef struct gerbang_driver_table {
  uint32_t size;
  uint32_t abi_major;
  uint32_t abi_minor;
  uint32_t reserved;
  const char* name;
  const char* version;

  /* Constant data; may be called at any time, before open too. */
  const gerbang_description* (*describe)(void);

  /* Prepares an instance. Must return within a second: connect in poll, not here. `host` and
   * `config` live until close. CONFIG: the configuration is wrong in a way that the schema cannot
   * say (log it). */
  gerbang_status (*open)(const gerbang_host* host, const gerbang_config* config,
                         gerbang_instance** instance);

  /* Serves what is due and returns; may wait up to budget_ms for it. Called at least every second.
   * A sensor that is due and has no number gets a missing reading with a reason. Missed turns are
   * skipped, never caught up. */
  gerbang_status (*poll)(gerbang_instance* instance, uint32_t budget_ms);

  /* Releases everything. Called once for each successful open. */
  void (*close)(gerbang_instance* instance);

  /* Optional (NULL): decodes captured bytes without any device, emitting readings by their order
   * (sensor = 0, 1, 2 …) and saying in the log why something is refused. */
  gerbang_status (*decode)(const gerbang_host* host, const gerbang_config* config, const void* data,
                           size_t size);

  /* Optional (NULL): looks for devices, read-only, and reports each with text ready to paste. */
  gerbang_status (*scan)(const gerbang_host* host, const gerbang_config* config,
                         gerbang_found found, gerbang_progress progress, void* context);
} gerbang_driver_table;

/* The one exported symbol. The table is constant and lives as long as the shared object. */
GERBANG_EXPORT const gerbang_driver_table* gerbang_driver(void);

#ifdef __cplusplus
}
#endif

#endif
