// ByteStream over a socket or FIFO that libuv watches.
#pragma once

#include <uv.h>

#include <memory>

#include "agent/base/result.h"
#include "agent/runtime/loop.h"
#include "plugins/transports/byte_stream.h"

namespace checkrelay {

class UvStream final : public ByteStream {
 public:
  // A peer that waits at `server`, a listening uv_pipe_t or uv_tcp_t.
  [[nodiscard]] static Result<std::unique_ptr<UvStream>> accept(Loop& loop, uv_stream_t* server);
  // Takes `fd` (also when it fails): a FIFO or a connected unix socket.
  [[nodiscard]] static Result<std::unique_ptr<UvStream>> adopt(Loop& loop, int fd);
  ~UvStream() override;
  UvStream(const UvStream&) = delete;
  UvStream& operator=(const UvStream&) = delete;

  void set_owner(Owner& owner) override;
  void read(bool wanted) override;
  void write(std::string_view bytes) override;
  [[nodiscard]] std::size_t unwritten() const override;
  void end() override;
  [[nodiscard]] int fd() const;

 private:
  struct Handle;
  explicit UvStream(std::shared_ptr<Handle> handle) : handle_(std::move(handle)) {}
  std::shared_ptr<Handle> handle_;  // lives on until libuv has closed it
};

}  // namespace checkrelay
