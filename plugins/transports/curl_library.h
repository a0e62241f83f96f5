// libcurl, loaded when the first request is made and not with the program: it brings thirty other
// libraries, whose memory and start an agent pays that has nothing to send, and every command.
#pragma once

#include <curl/curl.h>

#include <functional>

#include "agent/runtime/loop.h"

namespace checkrelay {

// libcurl's functions by their names, without the prefix.
struct CurlLibrary {
  decltype(&::curl_global_init) global_init = nullptr;
  decltype(&::curl_easy_init) easy_init = nullptr;
  decltype(&::curl_easy_reset) easy_reset = nullptr;
  decltype(&::curl_easy_setopt) easy_setopt = nullptr;
  decltype(&::curl_easy_getinfo) easy_getinfo = nullptr;
  decltype(&::curl_easy_strerror) easy_strerror = nullptr;
  decltype(&::curl_easy_cleanup) easy_cleanup = nullptr;
  decltype(&::curl_slist_append) slist_append = nullptr;
  decltype(&::curl_slist_free_all) slist_free_all = nullptr;
  decltype(&::curl_multi_init) multi_init = nullptr;
  decltype(&::curl_multi_setopt) multi_setopt = nullptr;
  decltype(&::curl_multi_add_handle) multi_add_handle = nullptr;
  decltype(&::curl_multi_remove_handle) multi_remove_handle = nullptr;
  decltype(&::curl_multi_assign) multi_assign = nullptr;
  decltype(&::curl_multi_socket_action) multi_socket_action = nullptr;
  decltype(&::curl_multi_info_read) multi_info_read = nullptr;
  decltype(&::curl_multi_cleanup) multi_cleanup = nullptr;
  const char* trouble = nullptr;  // why it could not be loaded; then nothing may be called
};

// Loads on the first call, which takes some milliseconds. Any thread.
[[nodiscard]] const CurlLibrary& curl();

// Calls `ready` on the loop thread when libcurl is loaded, or cannot be: from within where that is
// known, else once a thread that does nothing else has tried.
void with_curl(Loop& loop, std::function<void()> ready);

}  // namespace checkrelay
