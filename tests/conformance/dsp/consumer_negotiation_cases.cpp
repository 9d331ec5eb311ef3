#include "conformance/dsp/cases.hpp"
#include "conformance/dsp/negotiation_steps.hpp"

namespace fondaco::conformance::dsp {

using enum negotiation_state;

namespace {

using runner = consumer_negotiation;

std::vector<conformance_case> group_01() {
  return {make_case<runner>("CN_C:01-01",
                            "Verify contract request, offer received, consumer accepted, provider agreed, consumer "
                            "verified, provider finalized",
                            [](runner& n) {
                              n.expect_initial_request()
                                  .initiate()
                                  .wait_for(requested)
                                  .expect_accepted()
                                  .send_offer()
                                  .wait_for(accepted)
                                  .expect_verification()
                                  .send_agreement()
                                  .wait_for(verified)
                                  .send_finalized()
                                  .verify(finalized);
                            }),
          make_case<runner>("CN_C:01-02",
                            "Verify contract request, offer received, consumer counter-offer, provider terminated",
                            [](runner& n) {
                              n.expect_initial_request()
                                  .initiate()
                                  .wait_for(requested)
                                  .expect_counter_request()
                                  .send_offer()
                                  .wait_for(requested)
                                  .send_termination()
                                  .wait_for(terminated);
                            }),
          make_case<runner>("CN_C:01-03", "Verify contract request, offer received, consumer terminated",
                            [](runner& n) {
                              n.expect_initial_request()
                                  .initiate()
                                  .wait_for(requested)
                                  .expect_termination()
                                  .send_offer()
                                  .wait_for(terminated)
                                  .verify(terminated);
                            }),
          make_case<runner>("CN_C:01-04",
                            "Verify contract request, provider agreement, consumer verified, provider finalized",
                            [](runner& n) {
                              n.expect_initial_request()
                                  .initiate()
                                  .wait_for(requested)
                                  .expect_verification()
                                  .send_agreement()
                                  .wait_for(verified)
                                  .send_finalized()
                                  .verify(finalized);
                            })};
}

std::vector<conformance_case> group_02() {
  return {make_case<runner>("CN_C:02-01", "Verify contract request, provider terminated",
                            [](runner& n) {
                              n.expect_initial_request()
                                  .initiate()
                                  .wait_for(requested)
                                  .send_termination()
                                  .wait_for(terminated)
                                  .verify(terminated);
                            }),
          make_case<runner>("CN_C:02-02", "Verify contract request, consumer terminated",
                            [](runner& n) {
                              n.expect_initial_request()
                                  .initiate()
                                  .wait_for(requested)
                                  .expect_termination()
                                  .wait_for(terminated)
                                  .verify(terminated);
                            }),
          make_case<runner>("CN_C:02-03", "Verify contract request, provider agreement, consumer terminated",
                            [](runner& n) {
                              n.expect_initial_request()
                                  .initiate()
                                  .wait_for(requested)
                                  .expect_termination()
                                  .send_agreement()
                                  .wait_for(terminated)
                                  .verify(terminated);
                            }),
          make_case<runner>("CN_C:02-04", "Verify contract request, offer received, provider terminated",
                            [](runner& n) {
                              n.expect_initial_request()
                                  .initiate()
                                  .wait_for(requested)
                                  .send_offer()
                                  .wait_for(offered)
                                  .verify(offered)
                                  .send_termination()
                                  .wait_for(terminated)
                                  .verify(terminated);
                            }),
          make_case<runner>("CN_C:02-05",
                            "Verify contract request, offer received, consumer accepted, provider terminated",
                            [](runner& n) {
                              n.expect_initial_request()
                                  .initiate()
                                  .wait_for(requested)
                                  .expect_accepted()
                                  .send_offer()
                                  .wait_for(accepted)
                                  .send_termination()
                                  .wait_for(terminated)
                                  .verify(terminated);
                            }),
          make_case<runner>("CN_C:02-06",
                            "Verify contract request, provider agreement, consumer verified, provider terminated",
                            [](runner& n) {
                              n.expect_initial_request()
                                  .initiate()
                                  .wait_for(requested)
                                  .expect_verification()
                                  .send_agreement()
                                  .wait_for(verified)
                                  .send_termination()
                                  .verify(terminated);
                            })};
}

std::vector<conformance_case> group_03() {
  return {make_case<runner>("CN_C:03-01", "Verify contract request, invalid provider finalized",
                            [](runner& n) {
                              n.expect_initial_request().initiate().wait_for(requested).send_finalized(true).verify(
                                  requested);
                            }),
          make_case<runner>("CN_C:03-02", "Verify contract request, offer received, invalid provider agreed",
                            [](runner& n) {
                              n.expect_initial_request()
                                  .initiate()
                                  .wait_for(requested)
                                  .send_offer()
                                  .wait_for(offered)
                                  .verify(offered)
                                  .send_agreement(true)
                                  .verify(offered);
                            }),
          make_case<runner>("CN_C:03-03", "Verify contract request, offer received, invalid provider finalized",
                            [](runner& n) {
                              n.expect_initial_request()
                                  .initiate()
                                  .wait_for(requested)
                                  .send_offer()
                                  .wait_for(offered)
                                  .send_finalized(true)
                                  .verify(offered);
                            }),
          make_case<runner>("CN_C:03-04",
                            "Verify contract request, offer received, consumer accepted, invalid provider finalized",
                            [](runner& n) {
                              n.expect_initial_request()
                                  .initiate()
                                  .wait_for(requested)
                                  .expect_accepted()
                                  .send_offer()
                                  .wait_for(accepted)
                                  .send_finalized(true)
                                  .verify(accepted);
                            }),
          make_case<runner>("CN_C:03-05",
                            "Verify contract request, offer received, consumer accepted, invalid provider offer",
                            [](runner& n) {
                              n.expect_initial_request()
                                  .initiate()
                                  .wait_for(requested)
                                  .expect_accepted()
                                  .send_offer()
                                  .wait_for(accepted)
                                  .send_offer(true)
                                  .verify(accepted);
                            }),
          make_case<runner>(
              "CN_C:03-06",
              "Verify contract request, offer received, consumer accepted, provider agreed, invalid provider finalized",
              [](runner& n) {
                n.expect_initial_request()
                    .initiate()
                    .wait_for(requested)
                    .expect_accepted()
                    .send_offer()
                    .wait_for(accepted)
                    .send_agreement()
                    .wait_for(agreed)
                    .send_finalized(true)
                    .verify(agreed);
              })};
}

} // namespace

std::vector<conformance_case> consumer_negotiation_cases() { return joined({group_01(), group_02(), group_03()}); }

} // namespace fondaco::conformance::dsp
