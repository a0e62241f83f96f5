// Framing::http: performs a conversation's requests, one after the other, with curl; each is
// answered with the response or with a failure. Connections are kept and used again, for one
// destination. HTTP/1.1.
//
// Loop thread only; names are resolved by curl's own threads. Nothing is followed, retried or
// negotiated: a redirect is a response like any other, no encoding is asked for. TLS is verified
// against the system's authorities or `ca_file` alone. Proxies of the environment and .netrc are
// ignored. Credentials go through curl's options, never into a URL. An answer has at most
// kAnswerCap bytes.
//
// curl may send a request a second time when a kept connection turns out to be dead before any byte
// of an answer, so a peer can see a request twice: at least once, as everywhere here.
#pragma once

#include <cstddef>
#include <memory>
#include <span>

#include "agent/base/result.h"
#include "agent/port/option.h"
#include "agent/port/transport.h"

namespace checkrelay {

class Loop;
constexpr std::size_t kAnswerCap = 1024 * 1024;  // bytes of a body; past it Trouble::too_large
constexpr std::size_t kHeaderCap =
    64 * 1024;  // bytes of an answer's headers; past it Trouble::too_large

[[nodiscard]] std::span<const OptionRow> http_client_options();
// `loop` must outlive it. Files that the options name are read when a connection is made: a fault
// there is Trouble::tls.
[[nodiscard]] Result<std::unique_ptr<Carrier>> make_http_client(const Options& options, Loop& loop);

}  // namespace checkrelay
