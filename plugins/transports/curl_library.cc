#include "plugins/transports/curl_library.h"

#include <dlfcn.h>

#include <memory>
#include <string>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

namespace checkrelay {
namespace {

// The name that the ABI of these headers has: curl's own promise since 7.16.
constexpr const char* kFile = "libcurl.so.4";

class Loader {
 public:
  Loader() : handle_(dlopen(kFile, RTLD_NOW | RTLD_LOCAL)) {}
  template <typename F>
  void find(F& into, const char* name) {
    void* symbol = handle_ != nullptr ? dlsym(handle_, name) : nullptr;
    if (symbol == nullptr) return fail();
    into = reinterpret_cast<F>(symbol);
  }
  [[nodiscard]] const char* trouble() const {
    return trouble_.empty() ? nullptr : trouble_.c_str();
  }

 private:
  void fail() {
    const char* why = dlerror();
    if (trouble_.empty()) trouble_ = why != nullptr ? why : "libcurl cannot be loaded";
  }
  void* handle_;  // stays open
  std::string trouble_;
};

CurlLibrary load() {
  static Loader loader;
  CurlLibrary c;
  loader.find(c.global_init, "curl_global_init");
  loader.find(c.easy_init, "curl_easy_init");
  loader.find(c.easy_reset, "curl_easy_reset");
  loader.find(c.easy_setopt, "curl_easy_setopt");
  loader.find(c.easy_getinfo, "curl_easy_getinfo");
  loader.find(c.easy_strerror, "curl_easy_strerror");
  loader.find(c.easy_cleanup, "curl_easy_cleanup");
  loader.find(c.slist_append, "curl_slist_append");
  loader.find(c.slist_free_all, "curl_slist_free_all");
  loader.find(c.multi_init, "curl_multi_init");
  loader.find(c.multi_setopt, "curl_multi_setopt");
  loader.find(c.multi_add_handle, "curl_multi_add_handle");
  loader.find(c.multi_remove_handle, "curl_multi_remove_handle");
  loader.find(c.multi_assign, "curl_multi_assign");
  loader.find(c.multi_socket_action, "curl_multi_socket_action");
  loader.find(c.multi_info_read, "curl_multi_info_read");
  loader.find(c.multi_cleanup, "curl_multi_cleanup");
  c.trouble = loader.trouble();
  if (c.trouble == nullptr && c.global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
    c.trouble = "libcurl does not start";
  return c;
}

}  // namespace

const CurlLibrary& curl() {
  static const CurlLibrary library = load();
  return library;
}

namespace {

// Loads beside the loop, in a thread of its own: the few of libuv's pool sync files meanwhile, and
// neither is to wait for the other.
class Loading {
 public:
  explicit Loading(Loop& loop) : loop_(loop), loaded_(loop, [this] { end(); }) {}
  [[nodiscard]] bool is_of(const Loop& loop) const { return &loop_ == &loop; }
  void add(std::function<void()> ready) { waiting_.push_back(std::move(ready)); }
  // Deletes itself at its end. False where no thread is to be had.
  [[nodiscard]] bool start() {
    try {
      thread_ = std::thread([this] {
        (void)curl();
        loaded_.wake();
      });
    } catch (const std::system_error&) {
      return false;
    }
    return true;
  }

  static inline Loading* current = nullptr;
  static inline bool tried = false;

 private:
  void end() {
    thread_.join();
    tried = true;
    if (current == this) current = nullptr;
    const auto waiting = std::move(waiting_);
    delete this;
    for (const auto& ready : waiting) ready();
  }
  Loop& loop_;
  std::vector<std::function<void()>> waiting_;
  Wakeup loaded_;
  std::thread thread_;
};

}  // namespace

void with_curl(Loop& loop, std::function<void()> ready) {
  if (Loading::tried) return ready();
  if (Loading::current != nullptr && Loading::current->is_of(loop))
    return Loading::current->add(std::move(ready));
  auto loading = std::make_unique<Loading>(loop);
  if (!loading->start()) {
    (void)curl();
    Loading::tried = true;
    return ready();
  }
  loading->add(std::move(ready));
  Loading::current = loading.release();
}

}  // namespace checkrelay
