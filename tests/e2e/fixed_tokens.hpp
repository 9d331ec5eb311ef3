#pragma once

#include <string_view>

namespace fondaco::e2e::fixed_tokens {

/// Tokens of an issuer that exists in these tests alone: signed once with an Ed25519 key that was then thrown away, for
/// scope `management-api:admin`, issued in 2023 and good until 2100 unless their name says otherwise.
inline constexpr std::string_view issuer = "https://issuer.e2e.example";
inline constexpr std::string_view jwks =
    R"({"keys":[{"kty":"OKP","crv":"Ed25519","alg":"EdDSA","use":"sig","kid":"e2e-1","x":"Py9ArqMMvII53QkHuSPEzcadMk0QGbQMxWjkivOySTk"}]})";
inline constexpr std::string_view good =
    "eyJhbGciOiJFZERTQSIsImtpZCI6ImUyZS0xIiwidHlwIjoiSldUIn0.eyJpc3MiOiJodHRwczovL2lzc3Vlci5lMmUuZXhhbXBs"
    "ZSIsImF1ZCI6ImZvbmRhY28iLCJzdWIiOiJlMmUiLCJzY29wZSI6Im1hbmFnZW1lbnQtYXBpOmFkbWluIiwiaWF0IjoxNzAwMDAw"
    "MDAwLCJleHAiOjQxMDI0NDQ4MDB9.y9100Q2snG0nevFze__S4rYzvLDrKDUoNCn4WDnaOzfECPhG51DTvT1qGR7mprWye2V5LW8"
    "TWBr9v5XnUWebCQ";
inline constexpr std::string_view other_audience =
    "eyJhbGciOiJFZERTQSIsImtpZCI6ImUyZS0xIiwidHlwIjoiSldUIn0.eyJpc3MiOiJodHRwczovL2lzc3Vlci5lMmUuZXhhbXBs"
    "ZSIsImF1ZCI6ImFub3RoZXItc2VydmljZSIsInN1YiI6ImUyZSIsInNjb3BlIjoibWFuYWdlbWVudC1hcGk6YWRtaW4iLCJpYXQi"
    "OjE3MDAwMDAwMDAsImV4cCI6NDEwMjQ0NDgwMH0.YPWsa47F5MTyFK3PahR8k6hWs2TRFhfxKD68BgWbpctOodr5at9Jj47um0EH"
    "UzVhUivCiTjhYrDR2qoujk08Bg";
inline constexpr std::string_view expired =
    "eyJhbGciOiJFZERTQSIsImtpZCI6ImUyZS0xIiwidHlwIjoiSldUIn0.eyJpc3MiOiJodHRwczovL2lzc3Vlci5lMmUuZXhhbXBs"
    "ZSIsImF1ZCI6ImZvbmRhY28iLCJzdWIiOiJlMmUiLCJzY29wZSI6Im1hbmFnZW1lbnQtYXBpOmFkbWluIiwiaWF0IjoxNzAwMDAw"
    "MDAwLCJleHAiOjE3MDAwMDA2MDB9.D1L1VioYvR9UwWLwGzXmuRTsmfzszszifEV16uuTk6eW4fMMjOtaizCdY2LtgjDY5_9TNdr"
    "NgmDMz_jKkU4KDA";
inline constexpr std::string_view not_yet =
    "eyJhbGciOiJFZERTQSIsImtpZCI6ImUyZS0xIiwidHlwIjoiSldUIn0.eyJpc3MiOiJodHRwczovL2lzc3Vlci5lMmUuZXhhbXBs"
    "ZSIsImF1ZCI6ImZvbmRhY28iLCJzdWIiOiJlMmUiLCJzY29wZSI6Im1hbmFnZW1lbnQtYXBpOmFkbWluIiwiaWF0IjoxNzAwMDAw"
    "MDAwLCJleHAiOjQxMDI0NDQ4MDAsIm5iZiI6NDEwMjQ0NDAwMH0.OdGMshjiJ2trn2V1GvKsEyCc21IZgmRUHympHfE8GbaIyhT8"
    "_Ca4uPW4gcFKl5umXQ6kVc3W1WWKmAccbhhvDA";
inline constexpr std::string_view other_issuer =
    "eyJhbGciOiJFZERTQSIsImtpZCI6ImUyZS0xIiwidHlwIjoiSldUIn0.eyJpc3MiOiJodHRwczovL3Vua25vd24uZTJlLmV4YW1w"
    "bGUiLCJhdWQiOiJmb25kYWNvIiwic3ViIjoiZTJlIiwic2NvcGUiOiJtYW5hZ2VtZW50LWFwaTphZG1pbiIsImlhdCI6MTcwMDAw"
    "MDAwMCwiZXhwIjo0MTAyNDQ0ODAwfQ.BErfPku0BznxzyFAq7ZO-d2v0zhJ0ZPEb8kNjlg23kcH5yt8c3UIxldneOvWf5jFm8_Ma"
    "StzHq9caH51VgWDBA";
inline constexpr std::string_view other_key =
    "eyJhbGciOiJFZERTQSIsImtpZCI6ImUyZS0xIiwidHlwIjoiSldUIn0.eyJpc3MiOiJodHRwczovL2lzc3Vlci5lMmUuZXhhbXBs"
    "ZSIsImF1ZCI6ImZvbmRhY28iLCJzdWIiOiJlMmUiLCJzY29wZSI6Im1hbmFnZW1lbnQtYXBpOmFkbWluIiwiaWF0IjoxNzAwMDAw"
    "MDAwLCJleHAiOjQxMDI0NDQ4MDB9.xUIMymjDgVqreBUSwYgaCfLIMqpfbE5nUEV2LZDrULlAuWTpAJQ8sMfDuHAso0cwfvNOTxN"
    "4eaRg8D6ohTP4Dg";

} // namespace fondaco::e2e::fixed_tokens
