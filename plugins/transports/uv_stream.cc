#include "plugins/transports/uv_stream.h"

#include <unistd.h>

#include <string>
#include <utility>

namespace checkrelay {
namespace {

constexpr std::size_t kKeptCapacity = 64 * 1024;  // of an empty queue; what is more is given back

// One buffer for every stream of the thread: libuv reads and tells in one go.
char* read_buffer() {
  thread_local std::unique_ptr<char[]> buffer(new char[ByteStream::kReadChunk]);
  return buffer.get();
}

}  // namespace

struct UvStream::Handle : std::enable_shared_from_this<UvStream::Handle> {
  explicit Handle(Loop& l) : loop(l) {}

  union {
    uv_handle_t base;
    uv_stream_t stream;
    uv_pipe_t pipe;
    uv_tcp_t tcp;
  } uv{};
  Loop& loop;
  Owner* owner = nullptr;  // none once the UvStream is gone
  std::string queued;      // not yet given to the kernel
  std::string sending;     // given to libuv
  uv_write_t write_request{};
  uv_shutdown_t shutdown_request{};
  bool reading = false;
  bool at_end = false;
  bool failed = false;
  bool ended = false;
  bool shut = false;
  bool flush_due = false;
  std::shared_ptr<Handle> self;  // until libuv has let go

  static Handle& of(void* data) { return *static_cast<Handle*>(data); }

  void opened() {
    uv.base.data = this;
    self = shared_from_this();
  }

  void close() {
    owner = nullptr;
    if (!uv_is_closing(&uv.base))
      uv_close(&uv.base, [](uv_handle_t* h) { of(h->data).self.reset(); });
  }

  void fail(int error) {
    if (failed || !owner) return;
    failed = true;
    uv_read_stop(&uv.stream);
    owner->on_failure(uv_strerror(error));
  }

  // Without room libuv reads nothing and says UV_ENOBUFS; the next turn finds the bytes.
  static void on_alloc(uv_handle_t* h, std::size_t, uv_buf_t* buffer) {
    const bool may_read = of(h->data).loop.may_read();
    *buffer = may_read ? uv_buf_init(read_buffer(), kReadChunk) : uv_buf_init(nullptr, 0);
  }

  static void on_read(uv_stream_t* s, ssize_t size, const uv_buf_t* buffer) {
    Handle& self = of(s->data);
    if (size == UV_ENOBUFS) return;
    if (size > 0) self.loop.has_read(static_cast<std::size_t>(size));
    if (size > 0 && self.owner)
      self.owner->on_bytes({buffer->base, static_cast<std::size_t>(size)});
    if (size >= 0) return;
    self.reading = false;
    uv_read_stop(s);
    if (size != UV_EOF) return self.fail(static_cast<int>(size));
    self.at_end = true;
    if (self.owner) self.owner->on_end();
  }

  void flush_later() {
    if (flush_due) return;
    flush_due = true;
    loop.defer([weak = weak_from_this()] {
      const auto held = weak.lock();
      if (!held) return;
      held->flush_due = false;
      held->flush();
    });
  }

  void flush() {
    if (failed || !owner || !sending.empty()) return;
    if (queued.empty()) return shut_down();
    auto buffer = uv_buf_init(queued.data(), static_cast<unsigned>(queued.size()));
    const int written = uv_try_write(&uv.stream, &buffer, 1);
    if (written < 0 && written != UV_EAGAIN) return fail(written);
    queued.erase(0, static_cast<std::size_t>(written > 0 ? written : 0));
    if (queued.empty()) {
      if (queued.capacity() > kKeptCapacity) std::string().swap(queued);
      shut_down();
      owner->on_progress();
      return;
    }
    send_rest();
  }

  void send_rest() {
    sending.swap(queued);
    auto buffer = uv_buf_init(sending.data(), static_cast<unsigned>(sending.size()));
    write_request.data = this;
    const int error = uv_write(&write_request, &uv.stream, &buffer, 1, &on_written);
    if (error < 0) fail(error);
  }

  static void on_written(uv_write_t* request, int status) {
    Handle& self = of(request->data);
    std::string().swap(self.sending);
    if (!self.owner) return;
    if (status < 0) return self.fail(status);
    self.owner->on_progress();
    if (self.owner) self.flush();
  }

  void shut_down() {
    if (!ended || shut) return;
    shut = true;
    shutdown_request.data = this;
    uv_shutdown(&shutdown_request, &uv.stream, [](uv_shutdown_t*, int) {});
  }
};

Result<std::unique_ptr<UvStream>> UvStream::accept(Loop& loop, uv_stream_t* server) {
  auto handle = std::make_shared<Handle>(loop);
  const bool tcp = server->type == UV_TCP;
  if (tcp) {
    uv_tcp_init(loop.uv(), &handle->uv.tcp);
  } else {
    uv_pipe_init(loop.uv(), &handle->uv.pipe, 0);
  }
  handle->opened();
  std::unique_ptr<UvStream> stream(new UvStream(handle));
  const int error = uv_accept(server, &handle->uv.stream);
  if (error < 0) return fail(Errc::unavailable, uv_strerror(error));
  if (tcp) {
    uv_tcp_nodelay(&handle->uv.tcp, 1);
    uv_tcp_keepalive(&handle->uv.tcp, 1, 60);
  }
  return stream;
}

Result<std::unique_ptr<UvStream>> UvStream::adopt(Loop& loop, int fd) {
  auto handle = std::make_shared<Handle>(loop);
  uv_pipe_init(loop.uv(), &handle->uv.pipe, 0);
  handle->opened();
  std::unique_ptr<UvStream> stream(new UvStream(handle));
  const int error = uv_pipe_open(&handle->uv.pipe, fd);
  if (error == 0) return stream;
  ::close(fd);
  return fail(Errc::unavailable, uv_strerror(error));
}

UvStream::~UvStream() { handle_->close(); }

void UvStream::set_owner(Owner& owner) { handle_->owner = &owner; }

void UvStream::read(bool wanted) {
  Handle& h = *handle_;
  if (wanted == h.reading || (wanted && (h.at_end || h.failed))) return;
  h.reading = wanted;
  if (!wanted) {
    uv_read_stop(&h.uv.stream);
  } else if (const int error = uv_read_start(&h.uv.stream, &Handle::on_alloc, &Handle::on_read);
             error < 0) {
    // Told at the end of the turn, since the owner is in the middle of something.
    h.loop.defer([weak = h.weak_from_this(), error] {
      if (const auto held = weak.lock()) held->fail(error);
    });
  }
}

void UvStream::write(std::string_view bytes) {
  if (handle_->failed || handle_->ended) return;
  handle_->queued.append(bytes);
  handle_->flush_later();
}

std::size_t UvStream::unwritten() const { return handle_->queued.size() + handle_->sending.size(); }

void UvStream::end() {
  handle_->ended = true;
  handle_->flush_later();
}

int UvStream::fd() const {
  uv_os_fd_t fd = -1;
  uv_fileno(&handle_->uv.base, &fd);
  return fd;
}

}  // namespace checkrelay
