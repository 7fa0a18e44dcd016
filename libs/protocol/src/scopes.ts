import { z } from './zod.js';

/**
 * What a personal token is good for. None implies another. `read`: what the person may read; `post`: writing, editing,
 * redacting and reacting; `manage`: everything else, such as rooms, their members and settings.
 */
export const scopes = ['read', 'post', 'manage'] as const;
export type Scope = (typeof scopes)[number];

export const scope = z.enum(scopes);
