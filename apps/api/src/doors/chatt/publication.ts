import { binaryFrame } from '../../host/websocket-frames.js';
import { fixedHeader } from './packets.js';
import type { Terms } from './terms.js';

type Version = Terms['version'];

/** A publication to clients, encoded once per version of the protocol. */
export class Publication {
  private readonly forms: { [V in Version]?: Forms } = {};

  constructor(
    readonly topic: string,
    private readonly payload: Buffer,
  ) {}

  in(version: Version): Forms {
    this.forms[version] ??= new Forms(this.topic, this.payload, version);
    return this.forms[version];
  }
}

/**
 * A PUBLISH as a packet and as a WebSocket message. All clients at QoS 0 get the same bytes. At QoS 1 they differ in the packet
 * id.
 */
export class Forms {
  private plain: Buffer | null = null;
  private plainFrame: Buffer | null = null;
  private numbered: Buffer | null = null;
  private numberedFrame: Buffer | null = null;

  constructor(
    private readonly topic: string,
    private readonly payload: Buffer,
    private readonly version: Version,
  ) {}

  /** At QoS 0. */
  get packet(): Buffer {
    this.plain ??= this.write(0);
    return this.plain;
  }

  get frame(): Buffer {
    this.plainFrame ??= binaryFrame(this.packet);
    return this.plainFrame;
  }

  /** At QoS 1. */
  packetWithId(id: number): Buffer {
    this.numbered ??= this.write(1);
    return this.withId(this.numbered, id);
  }

  frameWithId(id: number): Buffer {
    this.numberedFrame ??= binaryFrame(this.write(1));
    return this.withId(this.numberedFrame, id);
  }

  private withId(bytes: Buffer, id: number): Buffer {
    const copy = Buffer.allocUnsafe(bytes.length);
    bytes.copy(copy);
    const at = copy.length - this.payload.length - this.properties - 2;
    copy[at] = id >> 8;
    copy[at + 1] = id & 0xff;
    return copy;
  }

  /** Leaves room for the packet id at QoS 1. */
  private write(qos: 0 | 1): Buffer {
    const topicLength = Buffer.byteLength(this.topic);
    const length = 2 + topicLength + 2 * qos + this.properties + this.payload.length;
    const header = fixedHeader(0x30 | (qos << 1), length);
    const bytes = Buffer.alloc(header.length + length);
    header.copy(bytes);
    bytes.writeUInt16BE(topicLength, header.length);
    bytes.write(this.topic, header.length + 2, 'utf8');
    this.payload.copy(bytes, bytes.length - this.payload.length);
    return bytes;
  }

  /** MQTT 5 has one byte for the length of the properties. */
  private get properties(): number {
    return this.version === 5 ? 1 : 0;
  }
}
