// Floating point numbers of 16 bits, as numbers of JavaScript: read exactly, written rounded to the nearest, ties to even.

const FLOAT = new Float32Array(1);
const BITS = new Uint32Array(FLOAT.buffer);

/** FP16: 1 bit of sign, 5 of exponent, 10 of fraction. */
export function floatOfHalf(half: number): number {
  const sign = half & 0x8000 ? -1 : 1;
  const exponent = (half >> 10) & 0x1f;
  const fraction = half & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 0x1f) return fraction === 0 ? sign * Infinity : NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

export function halfOf(value: number): number {
  if (Number.isNaN(value)) return 0x7e00;
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
  const size = Math.abs(value);
  if (size >= 65_520) return sign | 0x7c00;
  if (size < 2 ** -14) return sign | roundToEven(size * 2 ** 24);
  const exponent = Math.floor(Math.log2(size));
  const scaled = roundToEven((size / 2 ** exponent) * 1024);
  // A fraction that rounds up to the next power of two carries into the exponent, as it must.
  return sign | (((exponent + 14) << 10) + scaled);
}

/** BF16: the upper half of an FP32. */
export function floatOfBfloat16(bits: number): number {
  BITS[0] = bits << 16;
  return FLOAT[0]!;
}

export function bfloat16Of(value: number): number {
  if (Number.isNaN(value)) return 0x7fc0;
  FLOAT[0] = value;
  const bits = BITS[0]!;
  return ((bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16) & 0xffff;
}

// ---- details below; callers need not read ----

function roundToEven(value: number): number {
  const floor = Math.floor(value);
  const rest = value - floor;
  if (rest !== 0.5) return Math.round(value);
  return floor % 2 === 0 ? floor : floor + 1;
}
