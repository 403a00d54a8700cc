/** The middle of the samples; the average of the two in the middle when their number is even. */
export function median(samples: number[]): number {
  return quantile(samples, 0.5);
}

/** The distance between the first and the third quartile of the samples. */
export function interquartileRange(samples: number[]): number {
  return quantile(samples, 0.75) - quantile(samples, 0.25);
}

/** The value below which `part` (0 to 1) of the samples lie, interpolated. */
export function quantile(samples: number[], part: number): number {
  const sorted = [...samples].sort((a, b) => a - b);
  const place = (sorted.length - 1) * part;
  const [low = NaN, high = low] = [sorted[Math.floor(place)], sorted[Math.ceil(place)]];
  return low + (high - low) * (place - Math.floor(place));
}
