function drawPopulationChoice() { return null; }
