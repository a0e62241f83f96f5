#include "tests/bench/measures.h"

#include <array>

namespace checkrelay::bench {
namespace {

constexpr std::array kMeasures{
    Measure{"ingest_ndjson",
            "acknowledged-and-synced results/s, unix socket, 8 connections, NDJSON", ingest_ndjson},
    Measure{"ingest_msgpack", "the same with MessagePack", ingest_msgpack},
    Measure{"crowd", "64 clients, one result outstanding each", crowd},
    Measure{"lone", "one client, one result at a time: rate and acknowledge time", lone_client},
    Measure{"destinations", "ingest for 16 destinations beside one", many_destinations},
    Measure{"backlog", "10 million results wait: ingest, drain, start, memory, disk", backlog},
    Measure{"subjects", "memory for 1 million waiting subjects, backlog = latest", subjects},
    Measure{"spool", "spool directory, one result a file", spool_files},
    Measure{"spool_latency", "one file in the spool directory of an idle agent", spool_latency},
    Measure{"op5", "drain to OP5, 16 requests in flight", forward_op5},
    Measure{"op5_alone", "drain to OP5, one request in flight", forward_op5_alone},
    Measure{"opsview", "drain to Opsview, 16 requests in flight", forward_opsview},
    Measure{"opsview_alone", "drain to Opsview, one request in flight", forward_opsview_alone},
    Measure{"groundwork", "drain to GroundWork, batches of 500, 16 in flight", forward_groundwork},
    Measure{"groundwork_alone", "the same, one in flight", forward_groundwork_alone},
    Measure{"file", "end to end into a file: rate and CPU a result", end_to_end_file},
    Measure{"discard", "end to end into nothing: rate and CPU a result", end_to_end_discard},
    Measure{"idle", "start, memory, wake-ups of an agent that has nothing to do", idle},
    Measure{"checks", "1,000 local checks, each every 6 s: drift, turns, CPU", local_checks},
    Measure{"freshness", "freshness engine, 1 million subjects: start, memory, turns", freshness},
    Measure{"freshness_agent", "the same in an agent: start, turn with 10,000 overdue",
            freshness_agent},
    Measure{"send", "wall time of `checkrelay send`", send_command},
    Measure{"exec", "what `checkrelay exec` adds to a command, agent up and down", exec_command},
};

}  // namespace

std::span<const Measure> measures() { return kMeasures; }

}  // namespace checkrelay::bench
