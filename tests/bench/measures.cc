#include "tests/bench/measures.h"

#include <array>

namespace checkrelay::bench {
namespace {

constexpr std::array kMeasures{
    Measure{"ingest_ndjson",
            "acknowledged-and-synced results/s, unix socket, 8 connections, NDJSON", ingest_ndjson},
    Measure{"ingest_msgpack", "the same with MessagePack", ingest_msgpack},
    Measure{"lone", "acknowledge time of one result at a time", lone_client},
    Measure{"op5", "drain to OP5, 16 requests in flight", forward_op5},
    Measure{"op5_alone", "drain to OP5, one request in flight", forward_op5_alone},
    Measure{"file", "end to end into a file: rate and CPU a result", end_to_end_file},
    Measure{"discard", "end to end into nothing: rate and CPU a result", end_to_end_discard},
    Measure{"idle", "start, memory, wake-ups of an agent that has nothing to do", idle},
    Measure{"send", "wall time of `checkrelay send`", send_command},
};

}  // namespace

std::span<const Measure> measures() { return kMeasures; }

}  // namespace checkrelay::bench
