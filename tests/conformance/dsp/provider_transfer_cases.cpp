#include "conformance/dsp/cases.hpp"
#include "conformance/dsp/transfer_steps.hpp"

namespace fondaco::conformance::dsp {

using enum transfer_state;

namespace {

using runner = transfer_runner;

std::vector<conformance_case> group_01() {
  return {make_case<runner>("TP:01-01", "Verify transfer request, provider started, provider terminated",
                            [](runner& t) {
                              t.expect_start()
                                  .send_request()
                                  .wait_for(started)
                                  .expect_termination()
                                  .wait_for(terminated)
                                  .verify(terminated);
                            }),
          make_case<runner>(
              "TP:01-02", "Verify transfer request, provider started, provider completed",
              [](runner& t) {
                t.expect_start().send_request().wait_for(started).expect_completion().wait_for(completed).verify(
                    completed);
              }),
          make_case<runner>("TP:01-03",
                            "Verify transfer request, provider started, provider suspended, provider terminated",
                            [](runner& t) {
                              t.expect_start()
                                  .send_request()
                                  .wait_for(started)
                                  .expect_suspension()
                                  .wait_for(suspended)
                                  .expect_termination()
                                  .wait_for(terminated)
                                  .verify(terminated);
                            }),
          make_case<runner>(
              "TP:01-04",
              "Verify transfer request, provider started, provider suspended, provider started, provider completed",
              [](runner& t) {
                t.expect_start()
                    .send_request()
                    .wait_for(started)
                    .expect_suspension()
                    .wait_for(suspended)
                    .expect_start()
                    .wait_for(started)
                    .expect_completion()
                    .wait_for(completed)
                    .verify(completed);
              }),
          make_case<runner>("TP:01-05", "Verify transfer request, provider terminated", [](runner& t) {
            t.expect_termination().send_request().wait_for(terminated).verify(terminated);
          })};
}

std::vector<conformance_case> group_02() {
  return {make_case<runner>("TP:02-01", "Verify transfer request, provider started, consumer terminated",
                            [](runner& t) {
                              t.expect_start()
                                  .send_request()
                                  .wait_for(started)
                                  .verify(started)
                                  .send_termination()
                                  .wait_for(terminated)
                                  .verify(terminated);
                            }),
          make_case<runner>("TP:02-02", "Verify transfer request, provider started, consumer completed",
                            [](runner& t) {
                              t.expect_start()
                                  .send_request()
                                  .wait_for(started)
                                  .verify(started)
                                  .send_completion()
                                  .wait_for(completed)
                                  .verify(completed);
                            }),
          make_case<runner>("TP:02-03",
                            "Verify transfer request, provider started, consumer suspended, consumer terminated",
                            [](runner& t) {
                              t.expect_start()
                                  .send_request()
                                  .wait_for(started)
                                  .verify(started)
                                  .send_suspension()
                                  .wait_for(suspended)
                                  .verify(suspended)
                                  .send_termination()
                                  .wait_for(terminated)
                                  .verify(terminated);
                            }),
          make_case<runner>("TP:02-05", "Verify transfer request, consumer terminated", [](runner& t) {
            t.send_request()
                .wait_for(requested)
                .verify(requested)
                .send_termination()
                .wait_for(terminated)
                .verify(terminated);
          })};
}

std::vector<conformance_case> group_03() {
  return {
      make_case<runner>(
          "TP:03-01", "Verify transfer request, consumer completed",
          [](runner& t) {
            t.send_request().wait_for(requested).verify(requested).send_completion(true).wait_for(requested).verify(
                requested);
          }),
      make_case<runner>(
          "TP:03-02", "Verify transfer request, consumer suspended",
          [](runner& t) {
            t.send_request().wait_for(requested).verify(requested).send_suspension(true).wait_for(requested).verify(
                requested);
          }),
      make_case<runner>("TP:03-03", "Verify transfer request, provider started, consumer suspended, consumer completed",
                        [](runner& t) {
                          t.expect_start()
                              .send_request()
                              .wait_for(started)
                              .verify(started)
                              .send_suspension()
                              .wait_for(suspended)
                              .verify(suspended)
                              .send_completion(true)
                              .wait_for(suspended)
                              .verify(suspended);
                        }),
      make_case<runner>("TP:03-04", "Verify transfer request, provider started, consumer terminated, consumer started",
                        [](runner& t) {
                          t.expect_start()
                              .send_request()
                              .wait_for(started)
                              .verify(started)
                              .send_termination()
                              .wait_for(terminated)
                              .verify(terminated)
                              .send_start(address::absent, true)
                              .wait_for(terminated)
                              .verify(terminated);
                        }),
      make_case<runner>("TP:03-05",
                        "Verify transfer request, provider started, consumer terminated, consumer suspended",
                        [](runner& t) {
                          t.expect_start()
                              .send_request()
                              .wait_for(started)
                              .verify(started)
                              .send_termination()
                              .wait_for(terminated)
                              .verify(terminated)
                              .send_suspension(true)
                              .wait_for(terminated)
                              .verify(terminated);
                        }),
      make_case<runner>("TP:03-06",
                        "Verify transfer request, provider started, consumer terminated, consumer completed",
                        [](runner& t) {
                          t.expect_start()
                              .send_request()
                              .wait_for(started)
                              .verify(started)
                              .send_termination()
                              .wait_for(terminated)
                              .verify(terminated)
                              .send_completion(true)
                              .wait_for(terminated)
                              .verify(terminated);
                        })};
}

} // namespace

std::vector<conformance_case> provider_transfer_cases() { return joined({group_01(), group_02(), group_03()}); }

} // namespace fondaco::conformance::dsp
