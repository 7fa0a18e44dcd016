import { z } from 'zod';

// In a page zod would find out first whether it may make code of texts, which a strict policy of the page counts as an attempt
// at what it forbids. So it is configured beforehand; import zod from here to describe objects.
if ('document' in globalThis) z.config({ jitless: true });

export { z };
