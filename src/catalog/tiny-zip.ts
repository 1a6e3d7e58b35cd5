import { crc32, deflateRawSync } from "node:zlib";

/** A member of a zip archive that a test makes, honest or not. */
export interface TinyMember {
  readonly name: string;
  readonly content: Buffer;
  readonly deflate?: boolean;
  /** The upper half of the external attributes: 0o120777 is a symbolic link. */
  readonly unixMode?: number;
  /** What it claims to hold unpacked; undefined: the truth. */
  readonly claimedBytes?: number;
  readonly encrypted?: boolean;
}

/** Writes a zip archive (APPNOTE 6.3: local headers, central directory, end record), with whatever lies it is given. */
export function tinyZip(members: readonly TinyMember[]): Buffer {
  const local: Buffer[] = [];
  const central: Buffer[] = [];
  let offset = 0;
  for (const member of members) {
    const data = member.deflate === true ? deflateRawSync(member.content) : member.content;
    const name = Buffer.from(member.name);
    const common = Buffer.alloc(26);
    common.writeUInt16LE(20, 0);
    common.writeUInt16LE(0x800 | (member.encrypted === true ? 1 : 0), 2);
    common.writeUInt16LE(member.deflate === true ? 8 : 0, 4);
    common.writeUInt32LE(0x00210000, 6);
    common.writeUInt32LE(crc32(member.content), 10);
    common.writeUInt32LE(data.length, 14);
    common.writeUInt32LE(member.claimedBytes ?? member.content.length, 18);
    common.writeUInt16LE(name.length, 22);
    const header = Buffer.concat([Buffer.from("PK\x03\x04", "latin1"), common, name, data]);
    local.push(header);
    central.push(directoryRecord(common, name, member.unixMode ?? 0o100644, offset));
    offset += header.length;
  }
  const directory = Buffer.concat(central);
  const end = Buffer.alloc(22);
  end.write("PK\x05\x06", "latin1");
  end.writeUInt16LE(members.length, 8);
  end.writeUInt16LE(members.length, 10);
  end.writeUInt32LE(directory.length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...local, directory, end]);
}

function directoryRecord(common: Buffer, name: Buffer, unixMode: number, offset: number): Buffer {
  const madeByUnix = Buffer.from([20, 3]);
  const rest = Buffer.alloc(14);
  rest.writeUInt32LE((unixMode << 16) >>> 0, 6);
  rest.writeUInt32LE(offset, 10);
  return Buffer.concat([Buffer.from("PK\x01\x02", "latin1"), madeByUnix, common, rest, name]);
}
