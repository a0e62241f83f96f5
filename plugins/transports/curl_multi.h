// A curl multi handle on the loop: sockets through uv_poll, curl's one timeout through Timer. Loop
// thread only.
#pragma once

#include <uv.h>

#include <functional>
#include <memory>
#include <unordered_set>

#include "agent/runtime/loop.h"
#include "plugins/transports/curl_library.h"

namespace checkrelay {

class CurlMulti {
 public:
  using Done = std::function<void(CURL*, CURLcode)>;
  // `loop` must outlive it. `done` is called for each transfer that has ended and is no longer the
  // multi's, from the loop only, never from within add() or remove(); it may add, remove, and
  // destroy this.
  CurlMulti(Loop& loop, Done done);
  ~CurlMulti();  // REQUIRES: every handle has ended or was removed
  CurlMulti(const CurlMulti&) = delete;
  CurlMulti& operator=(const CurlMulti&) = delete;

  // The caller keeps the handle, and keeps it alive until `done` or remove(). False where curl
  // refuses it. REQUIRES: curl() has no trouble.
  [[nodiscard]] bool add(CURL* easy);
  void remove(CURL* easy);

 private:
  struct Socket;
  static int on_socket(CURL*, curl_socket_t fd, int what, void* self, void* socket);
  static int on_timer(CURLM*, long timeout_ms, void* self);
  static void on_poll(uv_poll_t* handle, int status, int events);
  [[nodiscard]] int watch(curl_socket_t fd, int what, Socket* socket);
  [[nodiscard]] bool begin();
  void forget(Socket* socket);
  void act(curl_socket_t fd, int flags);
  void harvest();

  Loop& loop_;
  Done done_;
  std::unordered_set<Socket*> sockets_;
  std::unordered_set<CURL*> added_;
  Timer timer_;
  CURLM* multi_ = nullptr;  // from the first add() on
  std::shared_ptr<CurlMulti*> self_;
};

}  // namespace checkrelay
