// Every route of the Management API, of the operator and of the protocols against every caller who may not call it.

#include "e2e/tenant_bed.hpp"

namespace fondaco::e2e {

namespace {

/// The bed that these cases share, made for the first of them.
class shared_tenants {
public:
  tenant_bed& of(bed& b) {
    if (!bed_ || !bed_->at.running())
      bed_ = std::make_unique<tenant_bed>(b);
    return *bed_;
  }

private:
  std::unique_ptr<tenant_bed> bed_;
};

void run_management(tenant_bed& t) {
  known_names known{{"partner_dsp", t.partner.dsp()},
                    {"partner_did", t.partner.identity},
                    {"slow_dsp", t.slow.dsp()},
                    {"slow_offer", json::serialize(t.offer(t.alpha, t.slow, "dataset-1"))},
                    {"agreed", t.agree(t.alpha, t.partner, "dataset-1")}};
  run_table(t.by, management_table(), known);
}

void run_operator(tenant_bed& t) {
  known_names known{{"agreed", t.agree(t.alpha, t.partner, "dataset-1")}};
  run_table(t.by, operator_table(), known);
}

} // namespace

cases tenant_matrix_cases() {
  const auto shared = std::make_shared<shared_tenants>();
  const auto on = [shared](void (*run)(tenant_bed&)) { return [shared, run](bed& b) { run(shared->of(b)); }; };
  return {{"every route of the Management API refuses the wrong role, scope and tenant, hides a foreign tenant's things, "
           "and lets in who may",
           on(run_management)},
          {"every route of the operator refuses whoever is none, and lets in who is", on(run_operator)}};
}

} // namespace fondaco::e2e
