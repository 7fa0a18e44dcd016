import { slowReaders } from './slow-readers.testing.js';

slowReaders(60);
