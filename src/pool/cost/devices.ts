import { nearest } from "../../base/index.ts";

/** Least and most, where reports differ. */
export interface Range {
  readonly least: number;
  readonly most: number;
}

export interface Source {
  readonly name: string;
  readonly url?: string;
}

/** One kind of accelerator: dense bf16 (no sparsity), the host link in one direction, as its data sheet has them. */
export interface DeviceType {
  /** Lower case, what hosts call it. */
  readonly id: string;
  readonly name: string;
  readonly maker: string;
  /** Where the maker has its seat, as ISO 3166-1 alpha-2 has it: US. */
  readonly makerCountry: string;
  readonly memoryGiB: number;
  readonly bandwidthTBps: number;
  readonly bf16Tflops: number;
  readonly linkGBps: number;
  /** Where there is no data sheet: what is reported. The number above is the middle. */
  readonly reported?: { readonly bandwidthTBps: Range; readonly bf16Tflops: Range };
  /** Where the numbers stand. Empty: we know of no publication of the maker's. */
  readonly sources: readonly Source[];
  /**
   * A public document that names the device, quoted for an operator to follow up. How a device is classified for export
   * is as given by operators, not asserted here: rules change, and depend on where it goes.
   */
  readonly exportNote?: string;
}

const nvidia = { maker: "NVIDIA", makerCountry: "US" };
const rule2023 =
  "Named in NVIDIA's Form 8-K of 17 October 2023 among the products that the amended ECCN 3A090 and 4A090 concern.";
const chinaSheets: Source = {
  name: "Tom's Hardware on NVIDIA's H20, L20 and L2, as reported",
  url: "https://www.tomshardware.com/pc-components/gpus/new-nvidia-ai-gpus-designed-to-get-around-us-export-bans-come-to-china-h20-l20-and-l2-to-fill-void-left-by-restricted-models",
};

export const deviceTypes: readonly DeviceType[] = [
  {
    ...nvidia,
    id: "a10",
    name: "A10",
    memoryGiB: 24,
    bandwidthTBps: 0.6,
    bf16Tflops: 125,
    linkGBps: 32,
    sources: [
      { name: "NVIDIA A10 Tensor Core GPU", url: "https://www.nvidia.com/en-us/data-center/products/a10-gpu/" },
    ],
  },
  {
    ...nvidia,
    id: "a100",
    name: "A100 80GB SXM",
    memoryGiB: 80,
    bandwidthTBps: 2.04,
    bf16Tflops: 312,
    linkGBps: 32,
    sources: [{ name: "NVIDIA A100 Tensor Core GPU", url: "https://www.nvidia.com/en-us/data-center/a100/" }],
    exportNote: rule2023,
  },
  {
    ...nvidia,
    id: "h100",
    name: "H100 SXM",
    memoryGiB: 80,
    bandwidthTBps: 3.35,
    bf16Tflops: 989,
    linkGBps: 64,
    sources: [{ name: "NVIDIA H100 Tensor Core GPU", url: "https://www.nvidia.com/en-us/data-center/h100/" }],
    exportNote: rule2023,
  },
  {
    // An H100 with less between devices, and in double precision: nothing that one device in bf16 would feel.
    ...nvidia,
    id: "h800",
    name: "H800 SXM",
    memoryGiB: 80,
    bandwidthTBps: 3.35,
    bf16Tflops: 989,
    linkGBps: 64,
    sources: [],
    exportNote: rule2023,
  },
  {
    ...nvidia,
    id: "h200",
    name: "H200 SXM",
    memoryGiB: 141,
    bandwidthTBps: 4.8,
    bf16Tflops: 989,
    linkGBps: 64,
    sources: [{ name: "NVIDIA H200 Tensor Core GPU", url: "https://www.nvidia.com/en-us/data-center/h200/" }],
  },
  {
    ...nvidia,
    id: "h20",
    name: "H20",
    memoryGiB: 96,
    bandwidthTBps: 4,
    bf16Tflops: 148,
    linkGBps: 64,
    sources: [chinaSheets],
    exportNote:
      "NVIDIA said on 15 April 2025 (Form 8-K) that it had been told that exports to China and some others need a licence.",
  },
  {
    ...nvidia,
    id: "l20",
    name: "L20",
    memoryGiB: 48,
    bandwidthTBps: 0.864,
    bf16Tflops: 119.5,
    linkGBps: 32,
    sources: [chinaSheets],
  },
  {
    // 48 GB; with error correction on, 45 GiB are left.
    ...nvidia,
    id: "l40s",
    name: "L40S",
    memoryGiB: 45,
    bandwidthTBps: 0.864,
    bf16Tflops: 362,
    linkGBps: 32,
    sources: [{ name: "NVIDIA L40S", url: "https://www.nvidia.com/en-us/data-center/l40s/" }],
    exportNote: rule2023,
  },
  {
    ...nvidia,
    id: "l4",
    name: "L4",
    memoryGiB: 24,
    bandwidthTBps: 0.3,
    bf16Tflops: 121,
    linkGBps: 32,
    sources: [{ name: "NVIDIA L4 Tensor Core GPU", url: "https://www.nvidia.com/en-us/data-center/l4/" }],
  },
  {
    id: "mi300x",
    name: "Instinct MI300X",
    maker: "AMD",
    makerCountry: "US",
    memoryGiB: 192,
    bandwidthTBps: 5.3,
    bf16Tflops: 1307,
    linkGBps: 64,
    sources: [
      {
        name: "AMD Instinct MI300X",
        url: "https://www.amd.com/en/products/accelerators/instinct/mi300/mi300x.html",
      },
    ],
  },
  {
    id: "910b",
    name: "Ascend 910B",
    maker: "Huawei",
    makerCountry: "CN",
    memoryGiB: 64,
    bandwidthTBps: 1,
    bf16Tflops: 316,
    linkGBps: 32,
    reported: { bandwidthTBps: { least: 0.4, most: 1.6 }, bf16Tflops: { least: 256, most: 376 } },
    sources: [
      {
        name: "boardor: 320 Tflop/s, 64 GB, 0.4 TB/s, as reported",
        url: "https://boardor.com/blog/huawei-ascend-910b-outperforms-h20-910c-approaches-h100",
      },
      {
        name: "jishuzhan: 256 Tflop/s, 0.77 TB/s, PCIe 4.0 x16, as reported",
        url: "https://jishuzhan.net/article/1872432607539499010",
      },
    ],
    exportNote:
      "Named in the US Bureau of Industry and Security's guidance of 13 May 2025 on General Prohibition 10 (15 CFR 736.2).",
  },
];

export type DeviceFound =
  | { readonly known: true; readonly device: DeviceType }
  /** With the id that was probably meant, where one is close. */
  | { readonly known: false; readonly nearest: string | undefined };

/** The device of this id; upper and lower case are the same. */
export function findDevice(id: string): DeviceFound {
  const wanted = id.toLowerCase();
  const device = deviceTypes.find((type) => type.id === wanted);
  if (device !== undefined) return { known: true, device };
  const ids = deviceTypes.map((type) => type.id);
  return { known: false, nearest: nearest(id, ids) };
}
