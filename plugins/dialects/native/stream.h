// The conversations that take results as a byte stream, from a file, from a FIFO and by datagram.
// Built by inbound() of the dialect; their rules are those of the public interface, "Stream and
// datagram sockets".
//
// A file has no reply; what admission refuses of it comes out of settle() in Actions::refused, with
// its line, so that the spool can tell. A FIFO and datagrams have no reply either: nothing is
// promised to their writers.
#pragma once

#include <memory>

#include "agent/port/dialect.h"

namespace checkrelay::native {

constexpr Duration kIdle = std::chrono::seconds(60);  // for the rest of an incomplete line
// How long, and for how many times max_result, the end of an overlong line is waited for.
constexpr Duration kPatience = std::chrono::seconds(2);
constexpr std::size_t kPassOver = 16;

[[nodiscard]] std::unique_ptr<Conversation> open_stream(const InboundContext& context);
[[nodiscard]] std::unique_ptr<Conversation> open_lines(const InboundContext& context);
[[nodiscard]] std::unique_ptr<Conversation> open_datagrams(const InboundContext& context);
[[nodiscard]] std::unique_ptr<Conversation> open_http(const InboundContext& context);

}  // namespace checkrelay::native
