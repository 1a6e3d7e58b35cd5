import { z } from "zod";
import { issuerShape } from "../invoicing/index.ts";
import type { DataClass } from "../policy/index.ts";
import { priceVersion } from "./price-schema.ts";
import { catalogueEntry, modelName, upstream } from "./model-schema.ts";
import { engineServer } from "./engine-schema.ts";
import {
  autoOr,
  domain,
  environmentName,
  milliseconds,
  namedSite,
  origin,
  price,
  quantity,
  shortName,
  site,
} from "./value-schema.ts";

/** What a cloud does with a data class while it cannot do all that it promises for one. */
const awayBehaviour = z.enum(["serve", "stop"]);

const listen = z.strictObject({
  host: z
    .string()
    .min(1)
    .max(255)
    .default("127.0.0.1")
    .describe("Address to listen on. Anything but loopback is reachable from elsewhere: put TLS in front of it."),
  port: z.int().min(0).max(65_535).default(8080).describe("TCP port; 0 takes a free one."),
});

const gateway = z.strictObject({
  cors: z
    .strictObject({
      origins: z
        .array(origin)
        .max(100)
        .default([])
        .describe(
          "Origins, exactly, whose pages may call /v1 with a key and read the log; none: no page of another origin may.",
        ),
    })
    .prefault({})
    .describe("Browsers' pages of other origins."),
});

const network = z.strictObject({
  airGapped: z
    .boolean()
    .default(false)
    .describe("No connection leaves this machine: nothing is pulled, and an address elsewhere is refused."),
});

const database = z.strictObject({
  url: z
    .string()
    .regex(/^postgres(ql)?:\/\//, "a PostgreSQL URL begins with postgres:// or postgresql://")
    .max(2_000)
    .optional()
    .describe("An existing PostgreSQL, as postgresql://user@host/database. Left out: an embedded one is supervised."),
  urlEnvironment: environmentName
    .optional()
    .describe("The environment variable that holds the URL, so that its password stands in no file."),
  connections: quantity(1, 100).default(8).describe("Connections kept open to PostgreSQL."),
  whenAway: z
    .strictObject({
      afterMs: milliseconds(100, 600_000)
        .default(1000)
        .describe("How long keys and policy may stay unconfirmed before the rules below hold."),
      ...classRules(),
    })
    .prefault({})
    .describe("What goes on while PostgreSQL is away, by data class."),
});

function classRules() {
  const rule = (name: DataClass) =>
    awayBehaviour.default(name === "public" ? "serve" : "stop").describe(`Projects whose data class is ${name}.`);
  return {
    public: rule("public"),
    internal: rule("internal"),
    personal: rule("personal"),
    "special-category": rule("special-category"),
    restricted: rule("restricted"),
  };
}

const alerts = z.strictObject({
  thresholds: z
    .array(z.int().min(1).max(1_000))
    .max(20)
    .default([80, 100])
    .describe("Percent of a budget or a wallet; each is told once a month, or once for a wallet's newest grant."),
  webhook: z
    .strictObject({
      url: z
        .url({ protocol: /^https?$/ })
        .max(2_000)
        .refine((text) => !/[@#]/.test(text), "no credentials or fragment")
        .describe("Where alerts are sent as CloudEvents; https, or this machine."),
      secretEnvironment: environmentName.describe(
        "The environment variable that holds the secret they are signed with: whsec_ and the Base64 of a key, as Standard Webhooks have it, or any text.",
      ),
      allowPrivate: z.boolean().default(false).describe("Whether that may be an address within your own networks."),
    })
    .optional()
    .describe("Sends alerts to a program; left out: none is sent."),
  email: z
    .strictObject({
      host: z.string().min(1).max(253).describe("The mail server (SMTP)."),
      port: z.int().min(1).max(65_535).default(587).describe("Its port."),
      security: z
        .enum(["starttls", "tls", "none"])
        .default("starttls")
        .describe("TLS before anything is said, TLS from the first byte, or none."),
      user: z.string().min(1).max(200).optional().describe("Who signs in there; left out: nobody does."),
      passwordEnvironment: environmentName.optional().describe("The environment variable that holds the password."),
      from: z.email().describe("The sender."),
      to: z.array(z.email()).min(1).max(50).describe("Who gets alerts."),
    })
    .optional()
    .describe("Sends alerts by email; left out: none is sent."),
});

const billing = z.strictObject({
  ...issuerShape,
  seller: issuerShape.seller.optional(),
  internal: z
    .array(z.string().min(1).max(200))
    .max(10_000)
    .default([])
    .describe("Organisations of your own group, by name or id: what they pay is intersegment revenue."),
  lateUsage: z
    .enum(["next-period", "refuse"])
    .default("next-period")
    .describe(
      "What becomes of usage that other services tell of a closed period: it is billed with the next one, or refused. What was served here is always billed.",
    ),
  alerts: alerts.prefault({}).describe("Who is told when budgets and wallets run out, and when usage is unrated."),
});

const engine = z.strictObject({
  kind: z
    .enum(["llamacpp", "vllm", "server", "fake"])
    .default("llamacpp")
    .describe(
      "The engine on this machine: its own, vLLM, or another program that serves a model over the OpenAI API; `fake` answers from a script, for tests and benches.",
    ),
  threads: autoOr(1, 1024)
    .default("auto")
    .describe("CPU threads for the engine; auto leaves a core for the rest where there is more than one."),
  gpu: z
    .enum(["auto", "off", "cuda", "vulkan", "metal"])
    .default("auto")
    .describe("The accelerator to use; auto takes the best one that the engine finds."),
  sequences: quantity(1, 256).default(8).describe("Answers computed at once on one model; further ones wait."),
  contextTokens: quantity(128, 1_048_576)
    .default(4096)
    .describe("Most tokens that a request may hold, prompt and answer together (at most the model's own limit)."),
  prefillSliceTokens: quantity(8, 4096)
    .default(64)
    .describe("Prompt tokens evaluated between two chances to decode or to stop, over all sequences."),
  memoryBytes: autoOr(1_048_576, 1e15)
    .default("auto")
    .describe(
      "For weights and KV of all models in memory at once; auto is nine tenths of an accelerator's memory, half of a machine's.",
    ),
  loadTimeoutMs: milliseconds(1000, 3_600_000)
    .default(300_000)
    .describe("How long a model may take to load before that counts as failed."),
  server: engineServer
    .optional()
    .describe("The program that kinds vllm and server start for each model that they load."),
});

const tier = (ttftMs: number, tpotMs: number) =>
  z
    .strictObject({
      ttftMs: milliseconds(1, 3_600_000).default(ttftMs).describe("Milliseconds until the first token at the latest."),
      tpotMs: milliseconds(1, 3_600_000).default(tpotMs).describe("Milliseconds from token to token at the latest."),
    })
    .prefault({});

const tiers = z.strictObject({
  interactive: tier(10_000, 100).describe("Projects whose tier is interactive: somebody waits for each word."),
  standard: tier(60_000, 250).describe("Projects whose tier is standard, as all are unless it is said."),
  batch: tier(300_000, 2000).describe(
    "Projects whose tier is batch, and requests with `service_tier: flex`: first to wait, and first to be turned away.",
  ),
});

const hosts = z.strictObject({
  listen: z
    .strictObject({
      host: z.string().min(1).max(255).describe("Address at which machines that join reach this gateway."),
      port: z.int().min(0).max(65_535).default(8443).describe("TCP port; 0 takes a free one."),
    })
    .optional()
    .describe("Where other machines join, over TLS with keys of their own; left out: none can."),
  clockSkewMs: milliseconds(100, 600_000)
    .default(5000)
    .describe("How far a host's clock may be from this one's; beyond it the host takes no new work."),
});

const models = z.strictObject({
  serve: z
    .array(modelName)
    .max(100)
    .default(["smollm2-135m-instruct"])
    .describe(
      "Models that this machine's engine serves, by their catalogue names; an empty list starts no engine, whatever its kind.",
    ),
  resident: z
    .array(
      z.strictObject({
        name: modelName.describe("One of the models that are served."),
        pin: z.boolean().default(false).describe("Loaded at the start, and never evicted."),
        keepWarmMs: milliseconds(0, 604_800_000)
          .default(0)
          .describe("For so long after its last use it makes room for no other model."),
        unloadAfterMs: milliseconds(0, 604_800_000)
          .optional()
          .describe("After so long without use it leaves the memory, also where nobody needs the room."),
      }),
    )
    .max(100)
    .default([])
    .describe("What single models are to do in memory; the others come and go as requests ask for them."),
  folder: z.string().min(1).max(4096).optional().describe("Where model files are kept; left out: in the data folder."),
  huggingFaceUrl: z
    .url({ protocol: /^https?$/ })
    .max(2_000)
    .optional()
    .describe("A mirror of the Hugging Face Hub for `hf:` sources."),
  huggingFaceStorage: z
    .array(domain)
    .max(50)
    .optional()
    .describe(
      "Domains, each with what is below it, that the Hub or its mirror may send downloads on to, over https only and to " +
        "no private address; left out: huggingface.co and hf.co. The Hub's own address is always one.",
    ),
  entries: z.array(catalogueEntry).max(1000).default([]).describe("Models beside the catalogue that is shipped."),
});

const limits = z.strictObject({
  bodyBytes: quantity(1024, 268_435_456).default(4_194_304).describe("Largest request body."),
  headersTimeoutMs: milliseconds(100, 600_000).default(10_000).describe("Time for a client to send its headers."),
  bodyTimeoutMs: milliseconds(100, 600_000).default(30_000).describe("Time for a client to send its whole request."),
  connections: quantity(1, 100_000).default(4096).describe("Client connections open at once."),
  requestsInFlight: quantity(1, 100_000).default(2048).describe("Requests that run or wait at once, over all models."),
  queuedPerModel: quantity(0, 100_000).default(256).describe("Requests that wait for one model; more are refused."),
  defaultMaxTokens: quantity(1, 1_048_576)
    .optional()
    .describe("Answer tokens of a request that names no max_tokens; left out: as many as the context leaves."),
});

const journal = z.strictObject({
  segmentBytes: quantity(65_536, 4_294_967_296).default(67_108_864).describe("Size of one journal file."),
  unshippedRecords: quantity(1000, 100_000_000)
    .default(200_000)
    .describe("Most records that may wait for PostgreSQL; beyond it new requests are refused (books_behind)."),
});

const contentDays = (days: Readonly<Record<DataClass, number>>) => {
  const of = (name: DataClass) =>
    quantity(0, 3650)
      .default(days[name])
      .describe(`Days, for projects whose data class is ${name}; 0: it is not kept.`);
  return z
    .strictObject({
      public: of("public"),
      internal: of("internal"),
      personal: of("personal"),
      "special-category": of("special-category"),
      restricted: of("restricted"),
    })
    .prefault({});
};

const contents = z.strictObject({
  days: contentDays({ public: 30, internal: 30, personal: 30, "special-category": 7, restricted: 0 }).describe(
    "For how long content is kept where a project asks and names no time.",
  ),
  daysMax: contentDays({ public: 3650, internal: 365, personal: 90, "special-category": 30, restricted: 0 }).describe(
    "For how long it is kept at most, whatever a project asks.",
  ),
  bytesMax: quantity(1_048_576, 1e15)
    .default(10_737_418_240)
    .describe("For all of it; beyond that nothing more is kept."),
  recordBytesMax: quantity(1024, 67_108_864)
    .default(4_194_304)
    .describe("For a request, and for its answer; of what is longer nothing is kept."),
  waitingBytesMax: quantity(1_048_576, 1e12)
    .default(268_435_456)
    .describe("For what waits for PostgreSQL; beyond that nothing more is kept until it is there again."),
  erasureLedger: z
    .string()
    .min(1)
    .max(4096)
    .optional()
    .describe(
      "Where erasures are written down for `restore --erasures`: on other storage than the data, best; left out: erasures.ndjson in the data folder.",
    ),
  keyFile: z
    .string()
    .min(1)
    .max(4096)
    .optional()
    .describe("The file of the key that wraps projects' keys (64 hexadecimal digits); left out: in the data folder."),
  tenantKeys: z
    .array(
      z.strictObject({
        organisation: z
          .string()
          .regex(/^org_[0-9A-Z]{26}$/, "an organisation's id")
          .describe("An organisation's id."),
        keyFile: z.string().min(1).max(4096).describe("Its own key, which wraps those of its projects: as `keyFile`."),
      }),
    )
    .max(1000)
    .default([])
    .describe("Organisations that bring a key of their own."),
  vault: z
    .strictObject({
      url: z
        .url({ protocol: /^https?$/ })
        .max(2_000)
        .refine((text) => !/[?#@]|\/$/.test(text), "no credentials, query, fragment or slash at its end")
        .describe("Where Vault, or OpenBao, is."),
      key: shortName.describe("The name of a key of its transit engine, of type aes256-gcm96."),
      tokenEnvironment: environmentName.describe("The environment variable that holds the token."),
    })
    .optional()
    .describe("Wraps projects' keys instead of a file."),
});

const log = z.strictObject({
  level: z
    .enum(["trace", "debug", "info", "warn", "error"])
    .default("info")
    .describe("The least severe line to write on standard error. Prompts and secrets are never logged."),
  origin: z
    .string()
    .max(200)
    .regex(/^[\x21-\x2a\x2c-\x7e]+$/, 'a name without spaces and "+", such as "cloud.example/receipts"')
    .optional()
    .describe("The transparency log's name, which never changes; left out: made from the installation's id."),
  published: z
    .array(z.string().min(1).max(4096))
    .max(100)
    .default([])
    .describe("Files with checkpoints that the log has shown, kept elsewhere: it does not go on from behind them."),
  whenDamaged: z
    .strictObject(classRules())
    .prefault({})
    .describe("What goes on while the transparency log cannot be written, by data class."),
  waitingBytes: quantity(65_536, 1_099_511_627_776)
    .default(17_179_869_184)
    .describe("Journal that may wait for a log that cannot be written; beyond it nothing is served (log_unavailable)."),
  witnesses: z
    .array(
      z.strictObject({
        name: shortName.describe("What `status` calls it."),
        url: z
          .url({ protocol: /^https?$/ })
          .max(2_000)
          .refine((text) => !/[?#@]|\/$/.test(text), "no credentials, query, fragment or slash at its end")
          .describe("Its prefix, below which add-checkpoint stands. Checkpoints are sent there, and nothing else."),
        key: z
          .string()
          .max(400)
          .regex(/^[^+\s]+\+[0-9a-f]{8}\+B[A-Za-z0-9+/]+=*$/, "a verifier key of type 4, as the witness prints it")
          .describe("Its verifier key: name+id+key."),
      }),
    )
    .max(16)
    .default([])
    .describe("Witnesses that are asked to cosign each checkpoint."),
  timestamps: z
    .strictObject({
      url: z
        .url({ protocol: /^https?$/ })
        .max(2_000)
        .refine((text) => !/[@#]/.test(text), "no credentials or fragment")
        .describe(
          "Where it takes requests (RFC 3161, section 3.4). A checkpoint's hash is sent there, and nothing else.",
        ),
    })
    .optional()
    .describe("A time-stamping authority that dates the newest checkpoint once an hour; left out: nobody is asked."),
});

const said = z.string().min(1).max(2_000);
const sayings = z.array(said).max(100).default([]);

const disclosure = z.strictObject({
  processor: z
    .strictObject({
      name: said.optional().describe("Who operates this cloud, as contracts name it."),
      contact: said.optional().describe("Its address, and how it is reached."),
      representative: said.optional().describe("Its representative in the EU, where it needs one (GDPR, art. 27)."),
      dataProtectionOfficer: said.optional().describe("Its data protection officer, and how that person is reached."),
    })
    .prefault({})
    .describe("Who reports say the processor is."),
  controller: z
    .strictObject({
      purposes: sayings.describe("Purposes of the processing (GDPR, art. 30(1)(b))."),
      dataSubjects: sayings.describe("Categories of people whose data it is (art. 30(1)(c))."),
      personalData: sayings.describe("Categories of personal data (art. 30(1)(c))."),
      recipients: sayings.describe("Categories of recipients (art. 30(1)(d))."),
      timeLimits: sayings.describe("Time limits for erasure (art. 30(1)(f))."),
    })
    .prefault({})
    .describe("What only a controller can say in a record of processing."),
  measures: z
    .strictObject({
      technical: sayings.describe("Technical ones, beside those that reports compute."),
      organisational: sayings.describe("Organisational ones."),
      contractual: sayings.describe("Contractual ones."),
    })
    .prefault({})
    .describe("Measures that protect data, against governments' access too: published (Data Act, art. 28)."),
  revenue: z
    .strictObject({
      aiProducts: z
        .array(z.enum(["ai-inference", "ai-training", "accelerator-time", "storage", "other"]))
        .default(["ai-inference", "ai-training", "accelerator-time"])
        .describe("Products that count as AI."),
      acceleratorCostPerHour: z
        .record(z.string().min(1).max(200), price.describe("A decimal string in the report's currency."))
        .default({})
        .describe("What an hour of each kind of accelerator costs the operator, by the name that hosts tell of it."),
    })
    .prefault({})
    .describe("What the report on revenue needs to be told."),
});

const receipts = z.strictObject({
  meanings: z
    .enum(["all", "whole", "none"])
    .default("all")
    .describe(
      "Of which answers a receipt also digests what was asked and answered, for users of an SDK: `whole`, of those that are not streamed.",
    ),
});

const fake = z.strictObject({
  firstTokenMs: milliseconds(0, 600_000).default(10).describe("Time before the first token."),
  tokenMs: milliseconds(0, 60_000).default(2).describe("Time between two tokens; 0 sends them all at once."),
  tokens: quantity(1, 1_000_000).default(32).describe("Tokens of an answer where the request does not limit them."),
});

/** Every setting with its default and its description, section by section. */
export const allSettings = z.strictObject({
  listen: listen.prefault({}).describe("Where clients reach this cloud."),
  gateway: gateway.prefault({}).describe("What clients are let do beyond asking."),
  site: site("here").prefault({}).describe("Where this machine stands. It is never guessed."),
  network: network.prefault({}).describe("What this cloud may connect to."),
  sites: z
    .array(namedSite)
    .max(1000)
    .default([])
    .describe("Further sites, at which hosts on other machines stand; the facts may declare them instead."),
  hosts: hosts.prefault({}).describe("Hosts on other machines."),
  database: database.prefault({}).describe("PostgreSQL."),
  engine: engine.prefault({}).describe("What computes answers on this machine."),
  models: models.prefault({}).describe("The models served here and where they come from."),
  tiers: tiers
    .prefault({})
    .describe("What is promised to a request, by its tier: the pool decides whose turn it is by it."),
  upstreams: z
    .array(upstream)
    .max(100)
    .default([])
    .describe("OpenAI-compatible servers that you already run (vLLM, SGLang, llama-server, Ollama)."),
  prices: z
    .array(priceVersion)
    .max(1000)
    .default([
      {
        version: "default-1",
        effectiveFrom: "2026-01-01",
        currency: "EUR",
        models: { "*": { inputPerMillion: "0.10", cachedInputPerMillion: "0.02", outputPerMillion: "0.40" } },
      },
    ])
    .describe("The price book: each version holds from its date on. A past version is never edited: add one."),
  billing: billing.prefault({}).describe("How usage becomes invoices; prices are `prices`, or an applied price book."),
  limits: limits.prefault({}).describe("Bounds on what clients may ask for and hold open."),
  journal: journal.prefault({}).describe("The append-only record of every request."),
  drain: z
    .strictObject({
      timeoutMs: milliseconds(0, 3_600_000)
        .default(30_000)
        .describe("How long answers may finish after a stop signal."),
    })
    .prefault({})
    .describe("How the server stops."),
  log: log.prefault({}).describe("The transparency log of receipts, and, by `level`, the lines on standard error."),
  disclosure: disclosure.prefault({}).describe("What reports say that nothing here can compute."),
  receipts: receipts.prefault({}).describe("What receipts say beyond what they always say."),
  contents: contents
    .prefault({})
    .describe("What is asked and answered, where a project asks for it to be kept (docs/operating/rights.md)."),
  fake: fake.prefault({}).describe("The scripted engine's pace."),
});

/** As written in bailiwick.yaml: everything that has a default may be left out. */
export type SettingsInput = z.input<typeof allSettings>;
/** As used: parsed, defaults filled in, deeply frozen. */
export type Settings = DeepReadonly<z.output<typeof allSettings>>;

type DeepReadonly<T> = T extends readonly (infer Item)[]
  ? readonly DeepReadonly<Item>[]
  : T extends object
    ? { readonly [Name in keyof T]: DeepReadonly<T[Name]> }
    : T;
