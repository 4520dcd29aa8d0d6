## tests of this part
