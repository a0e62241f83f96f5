// The option rows of the sections themselves.
#include <array>

#include "agent/config/config.h"

namespace checkrelay {
namespace {

using Kind = OptionKind;

constexpr std::array kAgent{
    OptionRow{.name = "hostname",
              .doc = "the host of results that name none; default: the system's host name"},
    OptionRow{.name = "state_dir",
              .kind = Kind::path,
              .fallback = "/var/lib/checkrelay",
              .doc = "the journal lives here"},
    OptionRow{
        .name = "socket", .kind = Kind::path, .doc = "shorthand for a unix intake at this path"},
    OptionRow{.name = "admin_group",
              .doc = "members may use the operator's commands, besides root and the agent's user"},
    OptionRow{.name = "drain",
              .kind = Kind::duration,
              .fallback = "10s",
              .doc = "how long a stop waits for what is in flight"},
};

constexpr std::array kLimits{
    OptionRow{.name = "max_result",
              .kind = Kind::size,
              .fallback = "64KiB",
              .doc = "one result, as sent"},
    OptionRow{.name = "max_queue",
              .kind = Kind::size,
              .fallback = "4GiB",
              .doc = "the journal on disk; past it new results are refused"},
    OptionRow{.name = "max_connections",
              .kind = Kind::integer,
              .fallback = "1024",
              .doc = "open connections of one intake",
              .low = 1,
              .high = 1'000'000},
    OptionRow{.name = "max_body",
              .kind = Kind::size,
              .fallback = "16MiB",
              .doc = "the body of one HTTP request"},
    OptionRow{.name = "idle_timeout",
              .kind = Kind::duration,
              .fallback = "60s",
              .doc = "half a line, half a request, or silence: then the connection ends"},
    OptionRow{.name = "history_age",
              .kind = Kind::duration,
              .fallback = "24h",
              .doc = "how long delivered results can be looked up"},
    OptionRow{.name = "history_size",
              .kind = Kind::size,
              .fallback = "64MiB",
              .doc = "and how much room they may take"},
    OptionRow{.name = "max_concurrent_checks",
              .kind = Kind::integer,
              .fallback = "64",
              .doc = "plugins of [[check]] that run at once; the others wait in line",
              .low = 1,
              .high = 10'000},
};

constexpr std::array kLog{
    OptionRow{.name = "level",
              .kind = Kind::choice,
              .fallback = "info",
              .doc = "the least that is logged",
              .choices = "trace|debug|info|warn|error"},
    OptionRow{.name = "format",
              .kind = Kind::choice,
              .fallback = "text",
              .doc = "key=value lines, or one JSON object a line",
              .choices = "text|json"},
};

// Rows without a fallback here have one in the dialect's OutboundTraits.
constexpr std::array kDestination{
    OptionRow{.name = "backlog",
              .kind = Kind::choice,
              .doc = "of what waits: everything, a subject's changes and its newest, its newest",
              .choices = "all|changes|latest"},
    OptionRow{.name = "drain",
              .kind = Kind::choice,
              .fallback = "in_order",
              .doc = "what goes first; always in order within a subject",
              .choices = "in_order|fresh_first"},
    OptionRow{.name = "max_age",
              .kind = Kind::duration,
              .fallback = "0s",
              .doc = "results older than this expire unsent; 0s = never"},
    OptionRow{.name = "retry_min",
              .kind = Kind::duration,
              .fallback = "1s",
              .doc = "the first pause after trouble"},
    OptionRow{
        .name = "retry_max", .kind = Kind::duration, .fallback = "5m", .doc = "the longest pause"},
    OptionRow{.name = "spread",
              .kind = Kind::duration,
              .doc = "after an outage the load grows to its full height within this; 0s = at once"},
    OptionRow{.name = "give_up_after",
              .kind = Kind::duration,
              .fallback = "0s",
              .doc = "a result refused for this long is dead; 0s = never"},
    OptionRow{
        .name = "unknown_object_retry",
        .kind = Kind::duration,
        .fallback = "1h",
        .doc = "an object the upstream does not know is offered this long; 0s = dead at once"},
    OptionRow{.name = "batch_max",
              .kind = Kind::integer,
              .doc = "results in one conversation",
              .low = 1,
              .high = 10'000},
    OptionRow{.name = "batch_linger",
              .kind = Kind::duration,
              .fallback = "0s",
              .doc = "how long a batch waits for company"},
    OptionRow{.name = "max_in_flight",
              .kind = Kind::integer,
              .doc = "conversations at once",
              .low = 1,
              .high = 1'000},
    OptionRow{.name = "rate", .kind = Kind::number, .doc = "results a second; 0 = unlimited"},
    OptionRow{.name = "bandwidth",
              .kind = Kind::size,
              .fallback = "0",
              .doc = "bytes sent a second, about; 0 = unlimited"},
    OptionRow{.name = "timeout",
              .kind = Kind::duration,
              .doc = "for one conversation, from its first byte to its last"},
};

}  // namespace

std::span<const OptionRow> agent_rows() { return kAgent; }
std::span<const OptionRow> limits_rows() { return kLimits; }
std::span<const OptionRow> log_rows() { return kLog; }
std::span<const OptionRow> destination_rows() { return kDestination; }

}  // namespace checkrelay
