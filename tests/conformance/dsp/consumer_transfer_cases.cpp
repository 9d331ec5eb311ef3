#include "conformance/dsp/cases.hpp"
#include "conformance/dsp/transfer_steps.hpp"

namespace fondaco::conformance::dsp {

using enum transfer_state;

namespace {

using runner = transfer_runner;

std::vector<conformance_case> group_01() {
  return {
      make_case<runner>("TP_C:01-01", "Verify transfer request, provider started, provider terminated",
                        [](runner& t) {
                          t.expect_request()
                              .initiate()
                              .wait_for(requested)
                              .send_start(address::present)
                              .wait_for(started)
                              .verify(started)
                              .send_termination()
                              .wait_for(terminated)
                              .verify(terminated);
                        }),
      make_case<runner>("TP_C:01-02", "Verify transfer request, provider started, provider completed",
                        [](runner& t) {
                          t.expect_request()
                              .initiate()
                              .wait_for(requested)
                              .send_start(address::present)
                              .wait_for(started)
                              .verify(started)
                              .send_completion()
                              .wait_for(completed)
                              .verify(completed);
                        }),
      make_case<runner>("TP_C:01-03",
                        "Verify transfer request, provider started, provider suspended, provider terminated",
                        [](runner& t) {
                          t.expect_request()
                              .initiate()
                              .wait_for(requested)
                              .send_start(address::present)
                              .wait_for(started)
                              .verify(started)
                              .send_suspension()
                              .wait_for(suspended)
                              .verify(suspended)
                              .send_termination()
                              .wait_for(terminated)
                              .verify(terminated);
                        }),
      make_case<runner>(
          "TP_C:01-04",
          "Verify transfer request, provider started, provider suspended, provider started, provider completed",
          [](runner& t) {
            t.expect_request()
                .initiate()
                .wait_for(requested)
                .send_start(address::present)
                .wait_for(started)
                .verify(started)
                .send_suspension()
                .wait_for(suspended)
                .verify(suspended)
                .send_start(address::present)
                .wait_for(started)
                .verify(started)
                .send_completion()
                .wait_for(completed)
                .verify(completed);
          }),
      make_case<runner>("TP_C:01-05", "Verify transfer request, provider terminated", [](runner& t) {
        t.expect_request().initiate().wait_for(requested).send_termination().wait_for(terminated).verify(terminated);
      })};
}

std::vector<conformance_case> group_02() {
  return {
      make_case<runner>("TP_C:02-01", "Verify transfer request, provider started, consumer terminated",
                        [](runner& t) {
                          t.expect_request()
                              .initiate()
                              .wait_for(requested)
                              .expect_termination()
                              .send_start(address::present)
                              .wait_for(terminated)
                              .verify(terminated);
                        }),
      make_case<runner>("TP_C:02-02", "Verify transfer request, provider started, consumer completed",
                        [](runner& t) {
                          t.expect_request()
                              .initiate()
                              .wait_for(requested)
                              .expect_completion()
                              .send_start(address::present)
                              .wait_for(completed)
                              .verify(completed);
                        }),
      make_case<runner>("TP_C:02-03",
                        "Verify transfer request, provider started, consumer suspended, consumer terminated",
                        [](runner& t) {
                          t.expect_request()
                              .initiate()
                              .wait_for(requested)
                              .expect_suspension()
                              .send_start(address::present)
                              .wait_for(suspended)
                              .expect_termination()
                              .wait_for(terminated)
                              .verify(terminated);
                        }),
      make_case<runner>("TP_C:02-05", "Verify transfer request, consumer terminated", [](runner& t) {
        t.expect_request().initiate().wait_for(requested).expect_termination().wait_for(terminated).verify(terminated);
      })};
}

std::vector<conformance_case> group_03() {
  return {make_case<runner>("TP_C:03-01", "Verify transfer request, provider completed",
                            [](runner& t) {
                              t.expect_request()
                                  .initiate()
                                  .wait_for(requested)
                                  .verify(requested)
                                  .send_completion(true)
                                  .wait_for(requested)
                                  .verify(requested);
                            }),
          make_case<runner>("TP_C:03-02", "Verify transfer request, provider suspended",
                            [](runner& t) {
                              t.expect_request()
                                  .initiate()
                                  .wait_for(requested)
                                  .verify(requested)
                                  .send_suspension(true)
                                  .wait_for(requested)
                                  .verify(requested);
                            }),
          make_case<runner>("TP_C:03-03",
                            "Verify transfer request, provider started, provider suspended, provider completed",
                            [](runner& t) {
                              t.expect_request()
                                  .initiate()
                                  .wait_for(requested)
                                  .verify(requested)
                                  .send_start(address::present)
                                  .wait_for(started)
                                  .verify(started)
                                  .send_suspension()
                                  .wait_for(suspended)
                                  .verify(suspended)
                                  .send_completion(true)
                                  .wait_for(suspended)
                                  .verify(suspended);
                            })};
}

/// The same group: what a terminated transfer refuses.
std::vector<conformance_case> group_03_terminated() {
  return {make_case<runner>("TP_C:03-04",
                            "Verify transfer request, provider started, provider terminated, provider started",
                            [](runner& t) {
                              t.expect_request()
                                  .initiate()
                                  .wait_for(requested)
                                  .verify(requested)
                                  .send_start(address::present)
                                  .wait_for(started)
                                  .verify(started)
                                  .send_termination()
                                  .wait_for(terminated)
                                  .verify(terminated)
                                  .send_start(address::absent, true)
                                  .wait_for(terminated)
                                  .verify(terminated);
                            }),
          make_case<runner>("TP_C:03-05",
                            "Verify transfer request, provider started, provider terminated, provider suspended",
                            [](runner& t) {
                              t.expect_request()
                                  .initiate()
                                  .wait_for(requested)
                                  .verify(requested)
                                  .send_start(address::present)
                                  .wait_for(started)
                                  .verify(started)
                                  .send_termination()
                                  .wait_for(terminated)
                                  .verify(terminated)
                                  .send_suspension(true)
                                  .wait_for(terminated)
                                  .verify(terminated);
                            }),
          make_case<runner>("TP_C:03-06",
                            "Verify transfer request, provider started, provider terminated, provider completed",
                            [](runner& t) {
                              t.expect_request()
                                  .initiate()
                                  .wait_for(requested)
                                  .verify(requested)
                                  .send_start(address::present)
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

std::vector<conformance_case> consumer_transfer_cases() {
  return joined({group_01(), group_02(), group_03(), group_03_terminated()});
}

} // namespace fondaco::conformance::dsp
