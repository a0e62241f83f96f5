// A conversation whose sent bytes are counted.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>

#include "agent/port/conversation.h"

namespace checkrelay {

// What a message takes on its way, about: with what a carrier puts before it, without TLS.
[[nodiscard]] std::size_t sent_size(const Message& m);

// `inner`, and `count` gets the bytes of what it sends, when it says so.
[[nodiscard]] std::unique_ptr<Conversation> metered(
    std::unique_ptr<Conversation> inner, std::function<void(std::size_t bytes, Steady now)> count);

}  // namespace checkrelay
