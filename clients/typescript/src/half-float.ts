// FP16 and BF16 as bits in Uint16Array, because Node.js 20 has no Float16Array.

const F32 = new Float32Array(1);
const U32 = new Uint32Array(F32.buffer);

export function fromFloat16(bits: Uint16Array): Float32Array {
  return Float32Array.from(bits, float16Value);
}

export function fromBfloat16(bits: Uint16Array): Float32Array {
  return new Float32Array(Uint32Array.from(bits, (half) => half << 16).buffer);
}

/** Rounded to the nearest, ties to even; what is too large becomes infinite. */
export function toFloat16(values: ArrayLike<number>): Uint16Array {
  return Uint16Array.from(values, float16Bits);
}

/** Rounded to the nearest, ties to even. */
export function toBfloat16(values: ArrayLike<number>): Uint16Array {
  return Uint16Array.from(values, (value) => {
    const bits = float32Bits(value);
    if (Number.isNaN(value)) return (bits >>> 16) | 0x40;
    return (bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16;
  });
}

function float32Bits(value: number): number {
  F32[0] = value;
  return U32[0]!;
}

function float16Value(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >>> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0x1f) return fraction === 0 ? sign * Infinity : NaN;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/** From the double itself, so that nothing is rounded twice. */
function float16Bits(value: number): number {
  if (Number.isNaN(value)) return 0x7e00;
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
  const size = Math.abs(value);
  // Halfway between the largest number, 65504, and what would follow it.
  if (size >= 65_520) return sign | 0x7c00;
  // A step of this size separates neighbours; below the smallest normal number steps do not shrink further.
  const exponent = Math.max(exponentOf(size), -14);
  const steps = roundToEven(size / 2 ** (exponent - 10));
  // 1024 steps are one more in the exponent, so a mantissa that rounds up carries by itself.
  return sign | (steps < 1024 ? steps : ((exponent + 15) << 10) + (steps - 1024));
}

function exponentOf(size: number): number {
  const exponent = (float32Bits(size) >>> 23) - 127;
  // The rounding to 32 bits may have reached the next power of two.
  return 2 ** exponent > size ? exponent - 1 : exponent;
}

function roundToEven(value: number): number {
  const down = Math.floor(value);
  const rest = value - down;
  return rest > 0.5 || (rest === 0.5 && down % 2 === 1) ? down + 1 : down;
}
