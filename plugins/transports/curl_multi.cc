#include "plugins/transports/curl_multi.h"

#include <chrono>
#include <utility>
#include <vector>

namespace checkrelay {

// Freed when libuv has closed its handle.
struct CurlMulti::Socket {
  uv_poll_t poll{};
  curl_socket_t fd = CURL_SOCKET_BAD;
  int events = 0;
  CurlMulti* owner = nullptr;  // nullptr once forgotten
};

CurlMulti::CurlMulti(Loop& loop, Done done)
    : loop_(loop),
      done_(std::move(done)),
      timer_(loop, [this] { act(CURL_SOCKET_TIMEOUT, 0); }),
      self_(std::make_shared<CurlMulti*>(this)) {}

bool CurlMulti::begin() {
  if (multi_) return true;
  multi_ = curl().multi_init();
  if (!multi_) return false;
  curl().multi_setopt(multi_, CURLMOPT_SOCKETFUNCTION, &CurlMulti::on_socket);
  curl().multi_setopt(multi_, CURLMOPT_SOCKETDATA, this);
  curl().multi_setopt(multi_, CURLMOPT_TIMERFUNCTION, &CurlMulti::on_timer);
  curl().multi_setopt(multi_, CURLMOPT_TIMERDATA, this);
  return true;
}

CurlMulti::~CurlMulti() {
  for (CURL* easy : added_) curl().multi_remove_handle(multi_, easy);
  if (multi_) curl().multi_cleanup(multi_);
  while (!sockets_.empty()) forget(*sockets_.begin());
}

bool CurlMulti::add(CURL* easy) {
  if (!begin() || curl().multi_add_handle(multi_, easy) != CURLM_OK) return false;
  added_.insert(easy);
  return true;
}

void CurlMulti::remove(CURL* easy) {
  if (added_.erase(easy) > 0) curl().multi_remove_handle(multi_, easy);
}

int CurlMulti::on_socket(CURL*, curl_socket_t fd, int what, void* self, void* socket) {
  auto& multi = *static_cast<CurlMulti*>(self);
  auto* known = static_cast<Socket*>(socket);
  if (what != CURL_POLL_REMOVE) return multi.watch(fd, what, known);
  if (known) {
    curl().multi_assign(multi.multi_, fd, nullptr);
    multi.forget(known);
  }
  return 0;
}

int CurlMulti::watch(curl_socket_t fd, int what, Socket* socket) {
  if (!socket) {
    auto made = std::make_unique<Socket>();
    if (uv_poll_init_socket(loop_.uv(), &made->poll, fd) != 0) return -1;
    socket = made.release();
    socket->fd = fd;
    socket->owner = this;
    socket->poll.data = socket;
    sockets_.insert(socket);
    curl().multi_assign(multi_, fd, socket);
  }
  socket->events =
      ((what & CURL_POLL_IN) ? UV_READABLE : 0) | ((what & CURL_POLL_OUT) ? UV_WRITABLE : 0);
  return uv_poll_start(&socket->poll, socket->events, on_poll) == 0 ? 0 : -1;
}

void CurlMulti::forget(Socket* socket) {
  sockets_.erase(socket);
  socket->owner = nullptr;
  uv_poll_stop(&socket->poll);
  uv_close(reinterpret_cast<uv_handle_t*>(&socket->poll),
           [](uv_handle_t* handle) { delete static_cast<Socket*>(handle->data); });
}

int CurlMulti::on_timer(CURLM*, long timeout_ms, void* self) {
  auto& multi = *static_cast<CurlMulti*>(self);
  if (timeout_ms < 0) {
    multi.timer_.clear();
  } else {
    multi.timer_.at(multi.loop_.now().steady + std::chrono::milliseconds(timeout_ms));
  }
  return 0;
}

void CurlMulti::on_poll(uv_poll_t* handle, int status, int events) {
  auto* socket = static_cast<Socket*>(handle->data);
  if (!socket->owner) return;
  int flags = 0;
  if (events & UV_READABLE) flags |= CURL_CSELECT_IN;
  if (events & UV_WRITABLE) flags |= CURL_CSELECT_OUT;
  if (status < 0) {
    // libuv stops polling after a socket error. CURL_CSELECT_ERR would end the transfer unread,
    // though an answer or an alert may have come before the reset: let curl read, it finds the
    // error behind it.
    flags = CURL_CSELECT_IN | CURL_CSELECT_OUT;
    uv_poll_start(handle, socket->events, on_poll);
  }
  socket->owner->act(socket->fd, flags);
}

void CurlMulti::act(curl_socket_t fd, int flags) {
  int running = 0;
  curl().multi_socket_action(multi_, fd, flags, &running);
  harvest();
}

// First all that has ended, then the calls: they change the multi.
void CurlMulti::harvest() {
  std::vector<std::pair<CURL*, CURLcode>> ended;
  int left = 0;
  while (CURLMsg* message = curl().multi_info_read(multi_, &left)) {
    if (message->msg == CURLMSG_DONE)
      ended.emplace_back(message->easy_handle, message->data.result);
  }
  std::weak_ptr weak = self_;
  for (auto [easy, code] : ended) {
    if (weak.expired()) return;
    if (added_.count(easy) == 0) continue;  // an earlier `done` removed it
    remove(easy);
    auto done = done_;
    done(easy, code);
  }
}

}  // namespace checkrelay
