#include "conformance/dsp/cases.hpp"
#include "conformance/dsp/negotiation_steps.hpp"

namespace fondaco::conformance::dsp {

using enum negotiation_state;

namespace {

using runner = provider_negotiation;

std::vector<conformance_case> group_01() {
  return {make_case<runner>("CN:01-01", "Verify contract request, offer received, consumer terminated",
                            [](runner& n) {
                              n.expect_offer().send_request().wait_for(offered).send_termination().verify(terminated);
                            }),
          make_case<runner>("CN:01-02",
                            "Verify contract request, offer received, consumer counter-offer, provider terminated",
                            [](runner& n) {
                              n.expect_offer()
                                  .send_request()
                                  .wait_for(offered)
                                  .expect_termination_message()
                                  .send_counter_request_for("CD123:ACN0102:456", "ACN0102")
                                  .wait_for(terminated);
                            }),
          make_case<runner>("CN:01-03",
                            "Verify contract request, offer received, consumer accepted, provider agreement, consumer "
                            "verified, provider finalized",
                            [](runner& n) {
                              n.expect_offer()
                                  .send_request()
                                  .wait_for(offered)
                                  .expect_agreement()
                                  .send_accepted()
                                  .wait_for(agreed)
                                  .expect_finalized()
                                  .send_verification()
                                  .wait_for(finalized);
                            }),
          make_case<runner>(
              "CN:01-04", "Verify contract request, provider agreement, consumer verified, provider finalized",
              [](runner& n) {
                n.expect_agreement().send_request().wait_for(agreed).expect_finalized().send_verification().wait_for(
                    finalized);
              })};
}

std::vector<conformance_case> group_02() {
  return {
      make_case<runner>("CN:02-01", "Verify contract request, provider terminated",
                        [](runner& n) { n.send_request().expect_termination().wait_for(terminated); }),
      make_case<runner>("CN:02-02", "Verify contract request, consumer terminated",
                        [](runner& n) { n.send_request().send_termination().verify(terminated); }),
      make_case<runner>("CN:02-03", "Verify contract request, provider agreement, consumer terminated",
                        [](runner& n) {
                          n.expect_agreement().send_request().wait_for(agreed).send_termination().verify(terminated);
                        }),
      make_case<runner>(
          "CN:02-04", "Verify contract request, offer received, consumer terminated",
          [](runner& n) { n.expect_offer().send_request().wait_for(offered).send_termination().verify(terminated); }),
      make_case<runner>("CN:02-05", "Verify contract request, offer received, provider terminated",
                        [](runner& n) {
                          n.expect_offer().send_request().wait_for(offered).expect_termination().wait_for(terminated);
                        }),
      make_case<runner>(
          "CN:02-06", "Verify contract request, offer received, consumer accepted, provider terminated",
          [](runner& n) {
            n.expect_offer().send_request().wait_for(offered).send_accepted().expect_termination().wait_for(terminated);
          }),
      make_case<runner>(
          "CN:02-07", "Verify contract request, provider agreement, consumer verified, provider terminated",
          [](runner& n) {
            n.expect_agreement().send_request().wait_for(agreed).expect_termination().send_verification().wait_for(
                terminated);
          })};
}

std::vector<conformance_case> group_03() {
  return {
      make_case<runner>("CN:03-01",
                        "Verify contract request, provider agreement, consumer verified, provider finalized, invalid "
                        "consumer terminated",
                        [](runner& n) {
                          n.expect_agreement()
                              .send_request()
                              .wait_for(agreed)
                              .expect_finalized()
                              .send_verification()
                              .wait_for(finalized)
                              .verify(finalized)
                              .send_termination(true);
                        }),
      make_case<runner>("CN:03-02", "Verify contract request, offer received, invalid consumer verified",
                        [](runner& n) { n.expect_offer().send_request().wait_for(offered).send_verification(true); }),
      make_case<runner>(
          "CN:03-03", "Verify contract request, offer received, consumer accepted, illegal consumer verified",
          [](runner& n) { n.expect_offer().send_request().wait_for(offered).send_accepted().send_verification(true); }),
      make_case<runner>(
          "CN:03-04", "Verify contract request, offer received, consumer counter-offer (x2), provider terminated",
          [](runner& n) {
            n.expect_offer().send_request().wait_for(offered).send_counter_request().send_counter_request(true);
          })};
}

} // namespace

std::vector<conformance_case> provider_negotiation_cases() { return joined({group_01(), group_02(), group_03()}); }

} // namespace fondaco::conformance::dsp
