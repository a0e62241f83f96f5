// What the operator sees of freshness, over HTTP:
//
//   GET  /v1/freshness?state=overdue&host=&service=&limit=&after=
//        {"subjects":[…],"next":N}: what has promised to report; "next" (null at the end) is the
//        `after` to go on with; a page may end early
//   GET  /v1/freshness/subject?host=&service=    one, with its runs and its promise
//   POST /v1/freshness/forget?host=&service=     no longer watched until it reports again
//
// Loop thread only.
#pragma once

#include "agent/flow/freshness_watch.h"
#include "agent/flow/request_target.h"
#include "agent/port/message.h"

namespace checkrelay {

[[nodiscard]] Message freshness_answer(FreshnessWatch& watch, const Message& request,
                                       const RequestTarget& query, Wall now);

}  // namespace checkrelay
