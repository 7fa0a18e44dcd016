import { slowReaders } from './slow-readers.testing.js';

slowReaders(4);
