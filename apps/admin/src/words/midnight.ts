/** The beginning of a day, given as 2026-01-31, where the person is. */
export function midnight(day: string | undefined): string | undefined {
  const time = day ? new Date(`${day}T00:00`) : null;
  return time && !Number.isNaN(time.getTime()) ? time.toISOString() : undefined;
}
